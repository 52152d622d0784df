import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Telemetry } from 'bullmq';
import type { Environment } from '#shared/config/environment.js';
import type { Config } from '#shared/config/schema.js';
import { messageOf } from '#shared/errors.js';
import type { Policy } from '#shared/lifecycle/types.js';
import { openPostgresBackend } from '#shared/queue/postgres.js';
import { type JobQueue, openJobQueue, type QueueBackend } from '#shared/queue/queue.js';
import { openRedisBackend } from '#shared/queue/redis.js';
import { type Relay, startRelay } from '#shared/queue/relay.js';
import { type Database, openDatabase, poolConfig } from '#shared/store/database.js';
import { assertMigrated } from '#shared/store/migrate.js';
import type { ProcessInfo } from '#shared/store/processes.js';
import type { Log } from '#shared/telemetry/log.js';

/** How often a relay looks unasked. */
const relayEveryMs = 1_000;

/** What every process is given. */
export interface Settings {
  config: Config;
  policy: Policy;
  environment: Environment;
  databaseUrl: string;
  log: Log;
  /** Known secret values out of a text. */
  scrub(text: string): string;
}

/** What web and worker both hold open. */
export interface Runtime {
  self: ProcessInfo;
  database: Database;
  backend: QueueBackend;
  queue: JobQueue;
  relay: Relay;
  close(): Promise<void>;
}

const roles = {
  web: { connections: 12, statementTimeoutMs: 5_000, relayRest: 4 },
  worker: { connections: 24, statementTimeoutMs: 30_000, relayRest: 0 },
};

/**
 * Opens database, queue and the relay between them. Nothing here waits for the queue: intake must not depend on it.
 * @throws SendoffError DATABASE_BEHIND, DATABASE_NEWER
 */
export async function openRuntime(settings: Settings, role: keyof typeof roles): Promise<Runtime> {
  const { environment, databaseUrl, log } = settings;
  const { connections, statementTimeoutMs, relayRest } = roles[role];
  const options = {
    url: databaseUrl,
    max: connections,
    statementTimeoutMs,
    applicationName: `sendoff-${role}`,
    tls: environment.databaseTls,
  };
  const database = openDatabase({ ...options, log });
  await assertMigrated(database.db);
  const backend = openBackend(settings, options, await telemetryOf(environment));
  const queue = openJobQueue(backend, (error) => log.debug({ error: messageOf(error) }, 'the queue is away'));
  let queueLost = false;
  const relay = startRelay({
    db: database.db,
    queue,
    everyMs: relayEveryMs,
    rest: relayRest,
    onResult(error) {
      if (error !== null && !queueLost)
        log.warn({ error: messageOf(error) }, 'jobs wait in the database: the queue or the database is away');
      if (error === null && queueLost) log.info({}, 'the queue is back');
      queueLost = error !== null;
    },
  });
  return {
    self: { id: randomUUID(), role, host: hostname(), pid: process.pid },
    database,
    backend,
    queue,
    relay,
    async close() {
      await relay.stop();
      await queue.close();
      await backend.close();
      await database.close();
    },
  };
}

/** `off` and `auto` leave it to the URL: `rediss:` speaks TLS and verifies. */
function redisTls({ redisTls: mode }: Environment): { rejectUnauthorized: boolean } | undefined {
  if (mode === 'verify') return { rejectUnauthorized: true };
  return mode === 'no-verify' ? { rejectUnauthorized: false } : undefined;
}

async function telemetryOf({ traces }: Environment): Promise<Telemetry | null> {
  return traces === null ? null : (await import('#shared/queue/job-traces.js')).traceJobs();
}

function openBackend(
  { environment, log }: Settings,
  database: Parameters<typeof poolConfig>[0],
  telemetry: Telemetry | null,
): QueueBackend {
  const onError = (error: Error) => log.debug({ error: messageOf(error) }, 'the queue is away');
  if (environment.redisUrl === null) {
    // A queue's connection listens for hours: the limits on statements are not for it.
    return openPostgresBackend(poolConfig({ ...database, statementTimeoutMs: 0 }), onError, telemetry);
  }
  return openRedisBackend({
    url: environment.redisUrl,
    tls: redisTls(environment),
    evictionUnchecked: environment.redisEvictionUnchecked,
    telemetry,
    onError,
    onUnchecked: (message) => log.warn({}, message),
  });
}
