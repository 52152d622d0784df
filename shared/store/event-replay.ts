import { sql } from 'kysely';
import type { Db } from './database.js';
import { type EventFilter, matches } from './event-filter.js';

/** A replay starts so many events a second: what arrives meanwhile is not kept waiting behind it. */
export const replayPerSecond = 20;

/** What is under way already is left to itself. */
const replayable = sql`inbox.type is not null and inbox.state in ('waiting', 'done', 'dead')`;

/** How many events a replay would be about, counted up to `limit`. */
export async function countReplayable(db: Db, filter: EventFilter, limit: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from (
      select from inbox where ${replayable} and ${matches(filter)} limit ${limit}
    ) as matching`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Plans the people of up to `limit` events anew, the newest first. @returns how many */
export async function reopenMatching(db: Db, filter: EventFilter, limit: number, reason: string): Promise<number> {
  const result = await sql`
    with placed as (
      select id, row_number() over (order by seq desc) as place
      from inbox where ${replayable} and ${matches(filter)} order by seq desc limit ${limit}
    )
    update inbox set state = 'received', reason = ${reason}, attempts = 0,
      due_at = now() + make_interval(secs => placed.place / ${replayPerSecond}::float8)
    from placed where inbox.id = placed.id`.execute(db);
  return Number(result.numAffectedRows ?? 0n);
}
