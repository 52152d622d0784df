import { sql } from 'kysely';
import type { Db } from './database.js';

const keptHours = 24;
/** Whoever has not answered for so long has died: the request may be made again. */
const deadAfterSeconds = 120;

export interface Answered {
  status: number;
  body: string;
}

export type Turn =
  | { kind: 'first' }
  | { kind: 'answered'; answer: Answered }
  /** The first request with this key is not answered yet. */
  | { kind: 'under-way' }
  /** The key was used for another request. */
  | { kind: 'other-request' };

/** Asks for the one place that a key gives. Keys of different callers never meet. */
export async function takeTurn(db: Db, actor: string, key: string, requestHash: Buffer): Promise<Turn> {
  await db
    .deleteFrom('idempotency_key')
    .where('created_at', '<', sql<Date>`now() - make_interval(hours => ${keptHours})`)
    .execute();
  const taken = await db
    .insertInto('idempotency_key')
    .values({ actor, key, request_hash: requestHash, status: null, body: null })
    .onConflict((conflict) =>
      conflict
        .columns(['actor', 'key'])
        .doUpdateSet({ created_at: sql<Date>`now()` })
        .where('idempotency_key.status', 'is', null)
        .where('idempotency_key.request_hash', '=', requestHash)
        .where('idempotency_key.created_at', '<', sql<Date>`now() - make_interval(secs => ${deadAfterSeconds})`),
    )
    .returning('key')
    .executeTakeFirst();
  if (taken !== undefined) return { kind: 'first' };
  const row = await db
    .selectFrom('idempotency_key')
    .select(['request_hash', 'status', 'body'])
    .where('actor', '=', actor)
    .where('key', '=', key)
    .executeTakeFirst();
  if (row !== undefined && !row.request_hash.equals(requestHash)) return { kind: 'other-request' };
  if (row === undefined || row.status === null) return { kind: 'under-way' };
  return { kind: 'answered', answer: { status: row.status, body: row.body ?? '' } };
}

export async function keepAnswer(db: Db, actor: string, key: string, { status, body }: Answered): Promise<void> {
  await db
    .updateTable('idempotency_key')
    .set({ status, body })
    .where('actor', '=', actor)
    .where('key', '=', key)
    .execute();
}

/** It came to nothing: the same request may be made again. */
export async function giveTurnBack(db: Db, actor: string, key: string): Promise<void> {
  await db
    .deleteFrom('idempotency_key')
    .where('actor', '=', actor)
    .where('key', '=', key)
    .where('status', 'is', null)
    .execute();
}
