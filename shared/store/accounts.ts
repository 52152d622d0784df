import { sql } from 'kysely';
import type { Db } from './database.js';
import { together } from './together.js';

/** How often an open breaker is probed (design.md, small print "401 from SendGrid"). */
const probeEverySeconds = 30;

export interface OpenBreaker {
  account: string;
  openedAt: Date;
  reason: string;
}

/** Makes sure that every configured account has its row: gates lock it. */
export async function ensureAccounts(db: Db, names: string[]): Promise<void> {
  if (names.length === 0) return;
  await db
    .insertInto('account')
    .values(names.map((name) => ({ name, breaker_reason: null })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** SendGrid refuses the account's key: its work waits from now on. */
export async function openBreaker(db: Db, account: string, reason: string): Promise<void> {
  await db
    .insertInto('account')
    .values({ name: account, breaker_opened_at: sql<Date>`now()`, breaker_reason: reason })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({
        breaker_opened_at: sql<Date>`coalesce(account.breaker_opened_at, now())`,
        breaker_reason: reason,
      }),
    )
    .execute();
}

export async function closeBreaker(db: Db, account: string): Promise<void> {
  await db
    .updateTable('account')
    .set({ breaker_opened_at: null, breaker_reason: null, probed_at: null })
    .where('name', '=', account)
    .execute();
}

export const isBreakerOpen = together(async (db: Db, names: string[]) => {
  const rows = await db.selectFrom('account').select('name').where('breaker_opened_at', 'is not', null).execute();
  const open = new Set(rows.map(({ name }) => name));
  return names.map((name) => open.has(name));
});

export async function openBreakers(db: Db): Promise<OpenBreaker[]> {
  const rows = await db
    .selectFrom('account')
    .select(['name', 'breaker_opened_at', 'breaker_reason'])
    .where('breaker_opened_at', 'is not', null)
    .execute();
  return rows.map((row) => ({
    account: row.name,
    openedAt: row.breaker_opened_at ?? new Date(0),
    reason: row.breaker_reason ?? 'unknown',
  }));
}

/** Takes the open breakers that are due for a probe; of several workers one gets each. */
export async function takeProbes(db: Db): Promise<string[]> {
  const rows = await db
    .updateTable('account')
    .set({ probed_at: sql<Date>`now()` })
    .where('breaker_opened_at', 'is not', null)
    .where((eb) =>
      eb.or([
        eb('probed_at', 'is', null),
        eb('probed_at', '<', sql<Date>`now() - make_interval(secs => ${probeEverySeconds})`),
      ]),
    )
    .returning('name')
    .execute();
  return rows.map((row) => row.name);
}
