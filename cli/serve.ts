import type { Environment } from '#shared/config/environment.js';
import type { LoadedConfig } from '#shared/config/load.js';
import { policyOf } from '#shared/config/policy.js';
import { messageOf } from '#shared/errors.js';
import { armFailpoint } from '#shared/failpoint.js';
import type { Settings } from '#shared/runtime.js';
import { createLog } from '#shared/telemetry/log.js';
import { scrubber } from '#shared/telemetry/redact.js';
import { startTracing, type Tracing } from '#shared/telemetry/tracing.js';
import { configOf } from './config.js';
import { environmentNow } from './session.js';

/** Well inside the 30 s after which a platform kills (reliability.md §14). */
const stopWithinMs = 24_000;

/** What a long-running command needs before it knows its database. */
export interface Serving {
  environment: Environment;
  loaded: LoadedConfig;
  settingsFor(databaseUrl: string): Settings;
  log: Settings['log'];
  /** null: traces are off. */
  tracing: Tracing | null;
  /** Resolves with the first SIGTERM or SIGINT, one that came while starting included. */
  stopRequested: Promise<string>;
}

/** @param secrets made at start, such as a generated token: they are kept out of the log too */
export async function prepareServing(
  options: { config: string | undefined },
  role: string,
  secrets: string[] = [],
): Promise<Serving> {
  const environment = environmentNow();
  armFailpoint(environment.failpoint);
  const loaded = configOf(options);
  const known = [...loaded.secrets, ...environment.secrets, ...secrets];
  const log = createLog({ level: environment.logLevel, role, secrets: known });
  const scrub = scrubber(known);
  for (const notice of loaded.notices) log.warn({ config: loaded.path }, notice);
  const stopRequested = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  return {
    environment,
    loaded,
    log,
    tracing: await startTracing(environment.traces, { role, log, scrub }),
    stopRequested,
    settingsFor: (databaseUrl) => ({
      config: loaded.config,
      policy: policyOf(loaded.config),
      environment,
      databaseUrl,
      log,
      scrub,
    }),
  };
}

/**
 * Runs until SIGTERM or SIGINT, then stops what was started, last first. A second signal exits at once.
 * @param failed rejects when a part gives up by itself
 */
export async function serveUntilStopped(
  { log, stopRequested, tracing }: Serving,
  failed: Promise<unknown>,
  stop: () => Promise<void>,
): Promise<void> {
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an error that nobody caught; the process ends, its work is taken over');
    process.exit(1);
  });
  const signal = await Promise.race([stopRequested, failed]).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  log.info({ signal }, 'stopping: what is in hand is finished first; a second signal exits at once');
  for (const again of ['SIGTERM', 'SIGINT'] as const) process.once(again, () => process.exit(1));
  const cut = setTimeout(() => {
    log.error({}, 'stopping took too long; what is left is taken over after the next start');
    process.exit(1);
  }, stopWithinMs);
  await stop().catch((error: unknown) => log.error({ error: messageOf(error) }, 'stopping did not go smoothly'));
  await tracing?.stop();
  clearTimeout(cut);
  log.info({}, 'stopped');
}
