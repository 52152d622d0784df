import type { Db } from './database.js';

/** Stands for every account. */
export const everywhere = '*';

export interface Stop {
  /** An account's name, or `*` for all of them. */
  scope: string;
  by: string;
  reason: string | null;
  at: Date;
}

/** Effects stand still from now on; what was stopped already keeps its reason. @returns true when it is new */
export async function placeStop(db: Db, scope: string, by: string, reason: string | null): Promise<boolean> {
  const result = await db
    .insertInto('stop')
    .values({ scope, stopped_by: by, reason })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** @returns true when a stop was in force */
export async function liftStop(db: Db, scope: string): Promise<boolean> {
  const result = await db.deleteFrom('stop').where('scope', '=', scope).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export async function listStops(db: Db): Promise<Stop[]> {
  const rows = await db.selectFrom('stop').selectAll().orderBy('scope').execute();
  return rows.map((row) => ({ scope: row.scope, by: row.stopped_by, reason: row.reason, at: row.stopped_at }));
}

/** The stop that an effect in this account must respect. */
export async function stopFor(db: Db, account: string): Promise<Stop | null> {
  const row = await db.selectFrom('stop').selectAll().where('scope', 'in', [everywhere, account]).executeTakeFirst();
  return row === undefined ? null : { scope: row.scope, by: row.stopped_by, reason: row.reason, at: row.stopped_at };
}
