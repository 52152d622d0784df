import { Kysely, PostgresDialect, sql } from 'kysely';
import type { Pool, PoolConfig } from 'pg';
import { messageOf } from '#shared/errors.js';
import { openPool } from './pool.js';
import type { Schema } from './schema.js';
import { settleTls, type TlsMode } from './tls.js';
import { together } from './together.js';
import { watched } from './watched-pool.js';

export type Db = Kysely<Schema>;

/** What the store needs of a logger; pino's fits. */
export interface StoreLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface DatabaseOptions {
  url: string;
  /** Connections at most. */
  max: number;
  /** 5,000 in web, 30,000 in the worker. */
  statementTimeoutMs: number;
  /** Shown in pg_stat_activity: `sendoff-web`, `sendoff-worker`, … */
  applicationName: string;
  tls: TlsMode;
  log: StoreLog;
}

export interface Database {
  db: Db;
  pool: Pool;
  close(): Promise<void>;
}

// A database that is away must be noticed while the sender of a hook still waits for its 503.
const CONNECTION_TIMEOUT_MS = 2_000;
const LOCK_TIMEOUT_MS = 2_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;

/**
 * The pool's settings for a URL: time limits, TLS, name. For others who need a pool of their own
 * beside ours (BullMQ); int8 stays a string and timestamptz becomes a Date, as is pg's default.
 * @throws SendoffError DATABASE_URL_INVALID when the URL's TLS parameters cannot be used.
 */
export function poolConfig(options: Omit<DatabaseOptions, 'log'>): PoolConfig {
  const { url, ssl } = settleTls(options.url, options.tls);
  return {
    connectionString: url,
    ssl,
    max: options.max,
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

const askNow = together(async (db: Db, keys: null[]) => {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
  return keys.map(() => (rows[0] as { now: Date }).now.getTime());
});

/** The time that every process agrees on. */
export function databaseNow(db: Db): Promise<number> {
  return askNow(db, null);
}

/**
 * Opens a pool; nothing is connected before the first query.
 * @throws SendoffError DATABASE_URL_INVALID when the URL's TLS parameters cannot be used.
 */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = openPool(poolConfig(options), (error) =>
    options.log.warn({ error: messageOf(error) }, 'an idle database connection was lost'),
  );
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: watched(pool, options.statementTimeoutMs) }) });
  let closing: Promise<void> | undefined;
  return {
    db,
    pool,
    close: () => {
      closing ??= db.destroy();
      return closing;
    },
  };
}
