import pino from 'pino';
import type { Environment } from '#shared/config/environment.js';
import { policyOf } from '#shared/config/policy.js';
import type { Config } from '#shared/config/schema.js';
import { SendoffError } from '#shared/errors.js';
import type { Policy } from '#shared/lifecycle/types.js';
import type { Outside } from '#shared/planning/surroundings.js';
import { openBreaker } from '#shared/store/accounts.js';
import { type Database, type Db, openDatabase } from '#shared/store/database.js';
import { attachEmbedded, startEmbedded } from '#shared/store/embedded/index.js';
import { assertMigrated, migrate } from '#shared/store/migrate.js';
import { configOf } from './config.js';
import { type OperatorOptions, operatorOf } from './operator.js';

/** What a command works with in the database. */
export interface DatabaseSession {
  db: Db;
  environment: Environment;
  /** sendoff.yaml, read when it is first needed. @throws ConfigError */
  config(): Config;
  policy(): Policy;
  /** Directories and accounts; loading their clients takes a while, and most commands need none. */
  outside(): Promise<Outside>;
  /** Who is at the keyboard. */
  by(): string;
}

/** Nothing but warnings, and on stderr: stdout is for the answer. */
const quietLog = pino({ level: 'error' }, pino.destination(2));

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

/** What was written on the command line about it. */
interface SessionOptions extends OperatorOptions {
  config: string | undefined;
}

/** The database with what else a command works with. */
export function withSession<T>(
  options: SessionOptions,
  environment: Environment,
  run: (session: DatabaseSession) => Promise<T>,
): Promise<T> {
  return withDatabase(environment, ({ db }) => run(sessionOf(options, environment, db)));
}

function sessionOf(options: SessionOptions, environment: Environment, db: Db): DatabaseSession {
  let loaded: Config | null = null;
  let opened: Promise<Outside> | null = null;
  const config = (): Config => {
    loaded ??= configOf(options).config;
    return loaded;
  };
  return {
    db,
    environment,
    config,
    policy: () => policyOf(config()),
    outside() {
      opened ??= openOutside(db, config());
      return opened;
    },
    by: () => operatorOf(options),
  };
}

async function openOutside(db: Db, config: Config): Promise<Outside> {
  const { openOutside: open } = await import('#shared/planning/surroundings.js');
  return open(db, config, policyOf(config), (account, reason) => openBreaker(db, account, reason));
}
