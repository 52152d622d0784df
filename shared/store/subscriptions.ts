import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from './database.js';
import { only } from './lists.js';

/** A hook, channel, subscription or stream that Sendoff made at a provider. It holds no secret. */
export interface StoredSubscription {
  id: string;
  source: string;
  kind: string;
  /** The provider's id; null until the provider has answered. */
  remoteId: string | null;
  /** What else the provider wants named, such as Google's resource id or a stream's audience. */
  resourceId: string | null;
  createdAt: Date;
  expiresAt: Date | null;
  /** Why it does not work; null: it does, as far as is known. */
  problem: string | null;
}

export async function storedSubscriptions(db: Db, source: string): Promise<StoredSubscription[]> {
  const rows = await db
    .selectFrom('subscription')
    .selectAll()
    .where('source', '=', source)
    .orderBy('created_at')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    source: row.source,
    kind: row.kind,
    remoteId: row.remote_id,
    resourceId: row.resource_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    problem: row.problem,
  }));
}

/** Keeps one, new or known by its id. @returns its id */
export async function saveSubscription(
  db: Db,
  source: string,
  {
    id,
    kind,
    remoteId,
    resourceId,
    expiresAt,
    problem,
  }: Omit<StoredSubscription, 'id' | 'source' | 'createdAt'> & { id?: string },
): Promise<string> {
  const row = { kind, remote_id: remoteId, resource_id: resourceId, expires_at: expiresAt, problem };
  const saved = await db
    .insertInto('subscription')
    .values({ source, ...row, ...(id === undefined ? {} : { id }) })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .returning('id')
    .executeTakeFirstOrThrow();
  return saved.id;
}

export async function forgetSubscription(db: Db, id: string): Promise<void> {
  await db.deleteFrom('subscription').where('id', '=', id).execute();
}

/** When a source was heard of last, by push or by poll. */
export async function lastEventAt(db: Db, source: string): Promise<Date | null> {
  const row = await db
    .selectFrom('inbox')
    .select('received_at')
    .where(only('source', source))
    .orderBy('source', 'desc')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.received_at ?? null;
}

/**
 * Rows as old as this will do. For an unknown one it is looked again, but only so often: forgers must not drive the
 * database, and who comes with a subscription made a moment ago waits that long rather than being taken for one.
 */
const freshMs = 10_000;
const lookAgainMs = 200;

/** For receivers, which ask at every request. */
export function knownSubscriptions(
  db: Db,
  source: string,
): (wanted: (row: StoredSubscription) => boolean) => Promise<StoredSubscription[]> {
  let rows: StoredSubscription[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;
  const readAgain = async (age: number) => {
    if (age < lookAgainMs) await sleep(lookAgainMs - age);
    rows = await storedSubscriptions(db, source);
    readAt = performance.now();
  };
  const isOpen = (wanted: (row: StoredSubscription) => boolean) =>
    performance.now() - readAt > freshMs || !rows.some(wanted);
  return async (wanted) => {
    if (!isOpen(wanted)) return rows;
    // A reading that is under way may have begun before what is asked for was made: then there is one more.
    await reading;
    if (!isOpen(wanted)) return rows;
    reading ??= readAgain(performance.now() - readAt).finally(() => {
      reading = null;
    });
    await reading;
    return rows;
  };
}

/** What is about to expire, or does not work, for alarms: seconds left, negative once it is over; null: it never ends. */
export async function subscriptionAges(
  db: Db,
): Promise<{ source: string; kind: string; secondsLeft: number | null; problem: string | null }[]> {
  return db
    .selectFrom('subscription')
    .select(['source', 'kind', 'problem'])
    .select(sql<number | null>`extract(epoch from expires_at - now())::float8`.as('secondsLeft'))
    .execute();
}
