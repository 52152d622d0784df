import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '#test/support/sendoff.js';

export interface RedisServer {
  url: string;
  /** On what an earlier start left behind, if `keeps`. */
  start(options?: { policy?: string; keeps?: boolean }): Promise<void>;
  kill(signal?: NodeJS.Signals): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  flush(): Promise<void>;
  /** In bytes; 0: as much as there is. */
  limitMemory(bytes: number): Promise<void>;
  end(): Promise<void>;
}

/** A real redis-server of the test's own, not started yet. */
export async function createRedis(): Promise<RedisServer> {
  const dir = await mkdtemp(join(tmpdir(), 'sendoff-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | null = null;
  const withClient = async <T>(run: (client: Redis) => Promise<T>): Promise<T> => {
    const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    client.on('error', () => undefined);
    try {
      return await run(client);
    } finally {
      client.disconnect();
    }
  };
  return {
    url,
    async start({ policy = 'noeviction', keeps = false } = {}) {
      child = spawn(
        'redis-server',
        [
          '--port',
          String(port),
          '--bind',
          '127.0.0.1',
          '--dir',
          dir,
          '--save',
          '',
          '--appendonly',
          keeps ? 'yes' : 'no',
          '--maxmemory-policy',
          policy,
        ],
        { stdio: 'ignore' },
      );
      await withClient((client) => client.ping());
    },
    async kill(signal = 'SIGKILL') {
      if (child === null) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
      child = null;
    },
    signal: (signal) => void child?.kill(signal),
    limitMemory: (bytes) => withClient(async (client) => void (await client.config('SET', 'maxmemory', bytes))),
    flush: () => withClient(async (client) => void (await client.flushall())),
    async end() {
      if (child !== null) {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
}
