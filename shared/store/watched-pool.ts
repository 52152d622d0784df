import { AsyncLocalStorage } from 'node:async_hooks';
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type { Pool, PoolClient } from 'pg';

// statement_timeout is kept by the server. One that froze, or a network that swallows packets, keeps nothing:
// the query would hang until TCP gives up after a quarter of an hour. So the client watches as well.

const GRACE_MS = 2_000;
const unhurried = new AsyncLocalStorage<true>();

/** Runs work whose statements may take any time (migrations) without the client's watch. */
export function withoutWatch<T>(work: () => Promise<T>): Promise<T> {
  return unhurried.run(true, work);
}

/** A pool for Kysely whose connection is destroyed, and its query rejected, when the server outstays its own limit. */
export function watched(pool: Pool, statementTimeoutMs: number): PostgresPool {
  return {
    connect: async () => watchClient(await pool.connect(), statementTimeoutMs + GRACE_MS),
    end: () => pool.end(),
  };
}

function watchClient(client: PoolClient, limitMs: number): PostgresPoolClient {
  let released = false;
  const release = (destroy: boolean): void => {
    if (released) return;
    released = true;
    client.release(destroy);
  };
  const query = async <R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>> => {
    if (unhurried.getStore()) return client.query(sql, [...parameters]) as Promise<PostgresQueryResult<never>>;
    const timer = setTimeout(() => release(true), limitMs);
    try {
      return (await client.query(sql, [...parameters])) as PostgresQueryResult<never>;
    } finally {
      clearTimeout(timer);
    }
  };
  // Kysely's cursors are not used here, hence one shape of query only.
  return { query: query as PostgresPoolClient['query'], release: () => release(false) };
}
