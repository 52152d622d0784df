import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SendoffError } from '#shared/errors.js';
import { majorVersion, program } from './binaries.js';
import { type Home, makeServerFolder } from './home.js';

export const ROLE = 'sendoff';
export const DATABASE = 'sendoff';
const PASSWORD_FILE = 'database-password';

/** Nothing of Sendoff's environment (secrets, PG…) reaches the server. */
export const serverEnv = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC', ...windowsEnv() };

/**
 * Creates the cluster on first start and makes sure that the password in the data folder opens it.
 * Must run while no server does.
 * @returns the password of the role `sendoff`, who owns the database and is no superuser.
 * @throws SendoffError EMBEDDED_INIT_FAILED, or EMBEDDED_VERSION when another major version made the cluster.
 */
export async function prepareCluster(dataDir: string, home: Home): Promise<string> {
  const version = await readFile(join(home.cluster, 'PG_VERSION'), 'utf8').catch(() => null);
  if (version !== null && version.trim() !== majorVersion(home.native)) throw otherVersion(version.trim(), home);
  // Kubernetes (fsGroup) opens every file of a volume to a group; PostgreSQL refuses such a folder.
  if (version !== null) await chmod(home.cluster, 0o700);
  const known = await readPassword(dataDir);
  if (version !== null && known !== null) return known;
  const password = known ?? (await writePassword(dataDir));
  if (version === null) await createCluster(home, password);
  // The password's file was lost; whoever may write the data folder owns the database anyway.
  else await runSingle(home, home.cluster, [`alter role ${ROLE} password '${password}'`]);
  return password;
}

/** null before the first start. */
export async function readPassword(dataDir: string): Promise<string | null> {
  return readFile(join(dataDir, PASSWORD_FILE), 'utf8').then(
    (text) => text.trim() || null,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    },
  );
}

async function writePassword(dataDir: string): Promise<string> {
  const password = randomBytes(24).toString('hex');
  const fresh = join(dataDir, `${PASSWORD_FILE}.new`);
  await rm(fresh, { force: true });
  const file = await open(fresh, 'wx', 0o600);
  await file.writeFile(`${password}\n`);
  await file.sync();
  await file.close();
  await rename(fresh, join(dataDir, PASSWORD_FILE));
  return password;
}

/** Built beside its place and renamed into it: a start that was killed half-way leaves no half cluster. */
async function createCluster(home: Home, password: string): Promise<void> {
  for (const name of await readdir(home.dir)) {
    if (name.startsWith('postgres.new-')) await rm(join(home.dir, name), { recursive: true, force: true });
  }
  const fresh = join(home.dir, `postgres.new-${randomBytes(4).toString('hex')}`);
  await makeServerFolder(fresh, home.account);
  // initdb wants a superuser's password; nobody needs it, so nobody keeps it.
  const superuser = `${fresh}.pw`;
  await writeFile(superuser, randomBytes(24).toString('hex'), { mode: 0o600, flag: 'wx' });
  await chmod(superuser, 0o600);
  if (home.account !== null) await chown(superuser, home.account.uid, home.account.gid);
  try {
    const flags = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', '--username=postgres'];
    await run(home, program(home.native, 'initdb'), ['-D', fresh, `--pwfile=${superuser}`, ...flags], '');
    await runSingle(home, fresh, [
      `create role ${ROLE} login createdb password '${password}'`,
      `grant pg_monitor to ${ROLE}`,
      `create database ${DATABASE} owner ${ROLE}`,
    ]);
    await rename(fresh, home.cluster);
  } finally {
    await rm(superuser, { force: true });
  }
}

/** PostgreSQL without network or other users: the only way in without a superuser's password. */
async function runSingle(home: Home, cluster: string, statements: string[]): Promise<void> {
  const settings = ['-c', 'exit_on_error=on', '-c', 'log_min_error_statement=panic'];
  await run(
    home,
    program(home.native, 'postgres'),
    ['--single', '-D', cluster, ...settings, 'postgres'],
    `${statements.join('\n')}\n`,
  );
}

function run(home: Home, file: string, args: string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      ...home.account,
      cwd: home.dir,
      env: serverEnv,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let output = '';
    child.stderr.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4_000);
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', (cause) => reject(initFailed(file, output, cause)));
    child.once('close', (code) => (code === 0 ? resolve() : reject(initFailed(file, output))));
  });
}

function initFailed(file: string, output: string, cause?: unknown): SendoffError {
  return new SendoffError('the embedded database could not be created', {
    code: 'EMBEDDED_INIT_FAILED',
    blame: 'remote',
    remedy:
      'See what PostgreSQL said (a full disk, a folder without rights?); or set DATABASE_URL to a PostgreSQL of your own.',
    facts: { program: file, output: output.trim() },
    cause,
  });
}

function otherVersion(found: string, home: Home): SendoffError {
  return new SendoffError(
    `the embedded database was made by PostgreSQL ${found}, this release has ${majorVersion(home.native)}`,
    {
      code: 'EMBEDDED_VERSION',
      blame: 'input',
      remedy: 'Start the release that made it, dump the database, and load it here (docs/runbook.md).',
      facts: { cluster: home.cluster },
    },
  );
}

function windowsEnv(): NodeJS.ProcessEnv {
  return process.platform === 'win32' ? { SystemRoot: process.env['SystemRoot'], PATH: process.env['PATH'] } : {};
}
