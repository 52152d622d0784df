import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { Queue, type Telemetry, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { messageOf, SendoffError } from '#shared/errors.js';
import { parseProgress } from '#shared/store/witness.js';
import type { QueueBackend } from './queue.js';

const witnessKey = 'sendoff:witness';

import { workerOptions } from './worker-options.js';

export interface RedisOptions {
  url: string;
  /** undefined: as the URL says. Heroku's chain is self-signed: `{ rejectUnauthorized: false }` (reliability.md §14). */
  tls: TlsOptions | undefined;
  /** The operator vouches for the eviction policy of a Redis that does not tell it. */
  evictionUnchecked: boolean;
  /** null: jobs are not traced. */
  telemetry: Telemetry | null;
  /** Told of lost connections. */
  onError(error: Error): void;
  /** Told when the eviction policy could not be read (managed Redis may forbid CONFIG). */
  onUnchecked(message: string): void;
}

/** BullMQ on Redis or Valkey. */
export function openRedisBackend({
  url,
  tls,
  evictionUnchecked,
  telemetry,
  onError,
  onUnchecked,
}: RedisOptions): QueueBackend {
  const common = { ...(tls === undefined ? {} : { tls }), connectTimeout: 2_000 };
  // A frozen Redis would hang a producer for ever without commandTimeout; a worker's blocking reads must not have it.
  const producer = new Redis(url, {
    ...common,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 2_000,
  });
  producer.on('error', onError);
  const consumers: Redis[] = [];
  return {
    kind: 'redis',
    witness: {
      read: async () => parseProgress((await producer.get(witnessKey)) ?? ''),
      write: async (progress) => void (await producer.set(witnessKey, JSON.stringify(progress))),
    },
    openQueue: (name) => new Queue(name, { connection: producer }),
    openWorker(name, processor, concurrency) {
      const connection = new Redis(url, { ...common, maxRetriesPerRequest: null });
      connection.on('error', onError);
      consumers.push(connection);
      return new Worker(name, processor, { connection, ...workerOptions(concurrency, telemetry) });
    },
    prepare: (signal) => checkEviction(producer, signal, onError, evictionUnchecked ? () => undefined : onUnchecked),
    async close() {
      producer.disconnect();
      for (const consumer of consumers) consumer.disconnect();
    },
  };
}

async function checkEviction(
  redis: Redis,
  signal: AbortSignal,
  onError: (error: Error) => void,
  onUnchecked: (message: string) => void,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const policy = redis.status === 'ready' ? await readPolicy(redis).catch(onError) : undefined;
    if (policy !== undefined) {
      if (policy === 'noeviction') return;
      if (policy !== null) {
        throw new SendoffError(
          `Redis evicts keys under memory pressure (maxmemory-policy ${policy}): jobs would vanish`,
          {
            code: 'QUEUE_EVICTS',
            blame: 'input',
            remedy: 'set maxmemory-policy to noeviction, e.g. `heroku redis:maxmemory --policy noeviction`',
          },
        );
      }
      onUnchecked('Redis does not let its maxmemory-policy be read; make sure that it is noeviction');
      return;
    }
    await sleep(200, undefined, { signal });
  }
}

/** @returns null when it may not be read; throws when Redis went away, or is still loading */
async function readPolicy(redis: Redis): Promise<string | null> {
  try {
    const answer = await redis.config('GET', 'maxmemory-policy');
    return Array.isArray(answer) ? String(answer[1] ?? '') || null : null;
  } catch (error) {
    if (/NOPERM|unknown command|not allowed|disabled/i.test(messageOf(error))) return null;
    throw error;
  }
}
