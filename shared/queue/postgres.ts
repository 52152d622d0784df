import { setTimeout as sleep } from 'node:timers/promises';
import {
  createPostgresBackend,
  type PostgresConnectionOptions,
  runMigrations,
  type Telemetry,
  withBackend,
} from 'bullmq';
import pg from 'pg';
import { openPool } from '#shared/store/pool.js';
import type { QueueBackend, WorkQueue, WorkWorker } from './queue.js';
import { workerOptions } from './worker-options.js';

const { Queue, Worker } = withBackend(createPostgresBackend);

/** Two queues and two workers each hold a connection that listens; the rest is for their queries. */
const poolSize = 12;
/** BullMQ keeps the failure of its first connection for good: a server that is slow for a moment must not be one. */
const connectWithinMs = 15_000;

/**
 * BullMQ on PostgreSQL, in the schema `bullmq` beside Sendoff's own tables: the queue when there is no Redis.
 * @param connection as for `pg.Pool`
 * @param onError told of lost connections
 * @param telemetry null: jobs are not traced
 */
export function openPostgresBackend(
  connection: pg.PoolConfig,
  onError: (error: Error) => void,
  telemetry: Telemetry | null = null,
): QueueBackend {
  const pool = openPool(
    {
      ...connection,
      connectionTimeoutMillis: connectWithinMs,
      max: poolSize,
      options: '-c search_path=bullmq',
      keepAlive: true,
    },
    onError,
  );
  const shared = pool as unknown as PostgresConnectionOptions;
  return {
    kind: 'postgres',
    witness: null,
    // The classes are the same for both backends; only a type parameter that nobody here uses differs.
    openQueue: (name) => new Queue(name, { connection: shared, skipWaitingForReady: true }) as unknown as WorkQueue,
    openWorker: (name, processor, concurrency) =>
      new Worker(name, processor, {
        connection: shared,
        ...workerOptions(concurrency, telemetry),
      }) as unknown as WorkWorker,
    prepare: (signal) => migrateOnceThere(connection, signal, onError),
    close: () => pool.end(),
  };
}

async function migrateOnceThere(
  connection: pg.PoolConfig,
  signal: AbortSignal,
  onError: (error: Error) => void,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await migrateQueue(connection);
    } catch (error) {
      if (!isAway(error)) throw error;
      onError(error);
      await sleep(1_000, undefined, { signal });
    }
  }
}

/** Lost or refused connections, and a server that starts or stops (SQLSTATE classes 08 and 57); not what it refuses. */
function isAway(error: unknown): error is Error {
  return error instanceof Error && !(error instanceof pg.DatabaseError && !/^(08|57)/.test(error.code ?? ''));
}

/** Brings BullMQ's own tables to the version of the installed package. Safe beside others that do the same. */
export async function migrateQueue(connection: pg.PoolConfig): Promise<void> {
  // The migrator wants one session for its lock and its transaction.
  const client = new pg.Client(connection);
  client.on('error', () => undefined);
  await client.connect();
  try {
    await runMigrations(client, 'bullmq');
  } finally {
    await client.end();
  }
}
