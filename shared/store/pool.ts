import { Pool, type PoolConfig } from 'pg';

/**
 * A pool that outlives its server. pg reports a lost connection as an `error` event beside the rejected query,
 * on the pool while the connection is idle and on the client while it is in use; an event that nobody
 * listens to ends the process.
 * @param onLost told of connections lost while idle; the others show as rejected queries
 */
export function openPool(config: PoolConfig, onLost: (error: Error) => void): Pool {
  const pool = new Pool(config);
  pool.on('error', onLost);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
