import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { startWeb } from '#producers/main.js';
import { startPull } from '#producers/pull.js';
import { generateSigningKey, loadSigningKey, type Signer } from '#shared/audit/signing-key.js';
import type { Environment } from '#shared/config/environment.js';
import { migrateQueue } from '#shared/queue/postgres.js';
import { openDatabase, poolConfig } from '#shared/store/database.js';
import { startEmbedded } from '#shared/store/embedded/index.js';
import { migrate } from '#shared/store/migrate.js';
import { startWork } from '#workers/main.js';
import { prepareServing, type Serving, serveUntilStopped } from './serve.js';
import { commonOptions, environmentNow } from './session.js';
import { requiredSigner } from './worker.js';

export function addUp(program: Command): void {
  program
    .command('up')
    .description('everything in one process: web, worker and, unless DATABASE_URL is set, an embedded PostgreSQL')
    .action(async (_options: unknown, command: Command) => {
      const options = commonOptions(command);
      const keys = await keysFor(environmentNow());
      const serving = await prepareServing(options, 'up', [keys.adminToken ?? '']);
      const { environment, log } = serving;

      const embedded =
        environment.databaseUrl === null ? await startEmbedded({ dataDir: environment.dataDir, log }) : null;
      const settings = serving.settingsFor(embedded?.url ?? environment.databaseUrl ?? '');
      try {
        await migrateAll(serving, settings.databaseUrl);
        const web = await startWeb({ ...settings, adminToken: keys.adminToken, signer: keys.signer });
        const work = await startWork({ ...settings, signer: keys.signer });
        const pull = startPull(settings);
        announce(serving, web.url, keys);
        // Not before it was shown: a start that failed would have kept a token that nobody ever saw.
        if (keys.newToken) await keptSecret(environment.dataDir, 'admin-token', () => keys.adminToken ?? '');
        await serveUntilStopped(
          serving,
          work.ready.then(() => new Promise(() => undefined)),
          async () => {
            await web.stop();
            await pull.stop();
            await work.stop();
          },
        );
      } finally {
        await embedded?.stop();
      }
    });
}

interface Keys {
  signer: Signer;
  adminToken: string | null;
  /** Was the token made just now? Then it is printed, this once. */
  newToken: boolean;
}

/** From the environment; in embedded mode made at the first start and kept in owner-only files of the data folder. */
async function keysFor(environment: Environment): Promise<Keys> {
  if (environment.databaseUrl !== null) {
    return { signer: requiredSigner(environment.signingKey), adminToken: environment.adminToken, newToken: false };
  }
  const signingKey =
    environment.signingKey ?? (await keptSecret(environment.dataDir, 'signing-key.pem', generateSigningKey));
  const known = environment.adminToken ?? (await readIfThere(join(environment.dataDir, 'admin-token')));
  return {
    signer: loadSigningKey(signingKey),
    adminToken: known ?? randomBytes(24).toString('base64url'),
    newToken: known === null,
  };
}

async function readIfThere(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

/** @returns what is kept: what was made now, or at an earlier start */
async function keptSecret(dataDir: string, name: string, make: () => string): Promise<string> {
  const path = join(dataDir, name);
  // Run by root, PostgreSQL is another user and has to pass through; every secret in here is a file of mode 600.
  await mkdir(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  // Whole or not there: another `up` that starts at the same moment must not read half of it.
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, make(), { flag: 'wx', mode: 0o600 });
  try {
    await link(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
  return readFile(path, 'utf8');
}

async function migrateAll({ environment, log }: Serving, url: string): Promise<void> {
  const options = {
    url,
    max: 2,
    statementTimeoutMs: 60_000,
    applicationName: 'sendoff-migrate',
    tls: environment.databaseTls,
  };
  const database = openDatabase({ ...options, log });
  try {
    await migrate(database.db);
    if (environment.redisUrl === null) await migrateQueue(poolConfig(options));
  } finally {
    await database.close();
  }
}

/** On stderr, for the person who started it: the log is for machines. */
function announce({ loaded }: Serving, url: string, { adminToken, newToken }: Keys): void {
  const lines = [
    '',
    `Sendoff is up at ${url}`,
    ...Object.keys(loaded.config.sources).map((name) => `  hook for ${name}: ${url}/hooks/${name}`),
    `  queue dashboard: ${url}/queues`,
    ...(newToken ? [`  admin token (shown this once): ${adminToken}`] : []),
    '',
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
}
