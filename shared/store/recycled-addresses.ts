import { sql } from 'kysely';
import type { Db } from './database.js';

// Addresses of which a sender said that they were given to somebody else. What lies under one in SendGrid may be the
// former holder's, until a human says otherwise or nothing is left there.

/** @param addresses lower-case */
export async function rememberRecycled(db: Db, addresses: readonly string[]): Promise<void> {
  const distinct = [...new Set(addresses)].sort();
  if (distinct.length === 0) return;
  await db
    .insertInto('recycled_address')
    .values(distinct.map((address) => ({ address })))
    .onConflict((oc) => oc.column('address').doUpdateSet({ told_at: sql`now()` }))
    .execute();
}

/** Those among these that were given to somebody else. @param addresses lower-case */
export async function recycledAmong(db: Db, addresses: readonly string[]): Promise<string[]> {
  if (addresses.length === 0) return [];
  const rows = await db
    .selectFrom('recycled_address')
    .select('address')
    .where('address', 'in', addresses)
    .orderBy('address')
    .execute();
  return rows.map(({ address }) => address);
}

/** Whose access lies there is settled. @param addresses lower-case */
export async function forgetRecycled(db: Db, addresses: readonly string[]): Promise<void> {
  if (addresses.length === 0) return;
  await db.deleteFrom('recycled_address').where('address', 'in', addresses).execute();
}
