import { sql } from 'kysely';
import type { Db } from './database.js';

/**
 * Keeps whom an account shows. @returns those it did not show the last time; nobody when it is the first time, for then
 * everybody would be new
 */
export async function noteTeammates(db: Db, account: string, usernames: string[]): Promise<Set<string>> {
  return db.transaction().execute(async (tx) => {
    const { rows: before } = await sql<{ known: boolean }>`
      select exists (select from seen_teammate where account = ${account}) as known`.execute(tx);
    const { rows } = await sql<{ username: string }>`
      insert into seen_teammate (account, username) select ${account}, unnest(${usernames}::text[])
      on conflict do nothing returning username`.execute(tx);
    await sql`delete from seen_teammate where account = ${account} and username != all(${usernames}::text[])`.execute(
      tx,
    );
    return new Set(before[0]?.known ? rows.map((row) => row.username) : []);
  });
}
