import type { Command } from 'commander';
import pino from 'pino';
import { type Environment, readEnvironment } from '#shared/config/environment.js';
import { type LoadedConfig, loadConfig } from '#shared/config/load.js';
import { SendoffError } from '#shared/errors.js';
import { type Database, openDatabase } from '#shared/store/database.js';
import { attachEmbedded, startEmbedded } from '#shared/store/embedded/index.js';
import { assertMigrated, migrate } from '#shared/store/migrate.js';

/** Options that every command has. */
export interface CommonOptions {
  config?: string;
  json?: boolean;
}

export function commonOptions(command: Command): { config: string | undefined; json: boolean } {
  const { config, json } = command.optsWithGlobals<CommonOptions>();
  return { config, json: json ?? false };
}

export function environmentNow(): Environment {
  return readEnvironment(process.env);
}

export function configOf(options: { config: string | undefined }): LoadedConfig {
  return loadConfig({ path: options.config, env: process.env });
}

/** Nothing but warnings, and on stderr: stdout is for the answer. */
export const quietLog = pino({ level: 'error' }, pino.destination(2));

/**
 * Opens the database for one command: DATABASE_URL, else the embedded one of a running `up`, else one started for as
 * long as the command runs.
 */
export async function withDatabase<T>(
  environment: Environment,
  run: (database: Database & { url: string }) => Promise<T>,
  { needsTables } = { needsTables: true },
): Promise<T> {
  const { url, stop } = await findDatabase(environment);
  const database = openDatabase({
    url,
    max: 4,
    statementTimeoutMs: 60_000,
    applicationName: 'sendoff-cli',
    tls: environment.databaseTls,
    log: quietLog,
  });
  try {
    if (stop !== null) await migrate(database.db);
    else if (needsTables) await assertMigrated(database.db);
    return await run({ ...database, url });
  } finally {
    await database.close();
    await stop?.();
  }
}

async function findDatabase(environment: Environment): Promise<{ url: string; stop: (() => Promise<void>) | null }> {
  if (environment.databaseUrl !== null) return { url: environment.databaseUrl, stop: null };
  const running = await attachEmbedded(environment.dataDir);
  if (running !== null) return { url: running.url, stop: null };
  const started = await startEmbedded({ dataDir: environment.dataDir, log: quietLog });
  return { url: started.url, stop: started.stop };
}

/** For roles that run on a database of somebody else's. @throws SendoffError DATABASE_URL_MISSING */
export function requiredDatabaseUrl(environment: Environment, command: string): string {
  if (environment.databaseUrl !== null) return environment.databaseUrl;
  throw new SendoffError(`sendoff ${command} needs DATABASE_URL`, {
    code: 'DATABASE_URL_MISSING',
    blame: 'input',
    remedy: 'set DATABASE_URL, or run `sendoff up`, which brings its own PostgreSQL',
  });
}
