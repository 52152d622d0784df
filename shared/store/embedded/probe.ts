import { createServer } from 'node:net';
import { Client } from 'pg';

/** Does a server at this URL let us in? false for anything else, recovery among it. */
export async function answers(url: string): Promise<boolean> {
  return (await ask(url)) !== null;
}

/** The data directory of the server at this URL, or null when it does not let us in. */
export async function ask(url: string): Promise<string | null> {
  const client = new Client({
    connectionString: url,
    ssl: false,
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ dir: string }>(`select current_setting('data_directory') as dir`);
    return rows[0]?.dir ?? null;
  } catch {
    return null;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * A free loopback port below the range from which systems take the ports of outgoing connections:
 * after a crash the server must come back on the same port, which none of those may have taken.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = 16_384 + Math.floor(Math.random() * 16_000);
    if (await isFree(port)) return port;
  }
  throw new Error('no free loopback port between 16384 and 32384');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
