import { createHash, randomBytes } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { chown, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SendoffError } from '#shared/errors.js';
import { completeNative, type Native } from './binaries.js';
import { type Account, canEnter } from './run-as.js';
import { ensureOwnFolder, openStagingRoot, stageNative } from './stage.js';

/** Where a data folder's server lives. */
export interface Home {
  /** Holds the cluster; the data folder itself unless PostgreSQL's user cannot enter that. */
  dir: string;
  /** PostgreSQL's own data directory. */
  cluster: string;
  native: Native;
  account: Account | null;
}

const POINTER = 'database-location';
const ORIGIN = 'origin';

/**
 * Decides where cluster and binaries live: in place where PostgreSQL's user can reach them, else in a staging
 * folder, to which a pointer in the data folder leads.
 * @throws SendoffError EMBEDDED_STAGING when a place is not to be trusted or serves another data folder.
 */
export async function settleHome(
  dataDir: string,
  native: Native,
  found: Account | null,
  stagingRoots: readonly string[],
): Promise<Home> {
  const account = await keepOwner(dataDir, found);
  const reachable = account === null || (await canEnter(account, join(native.dir, 'bin')));
  const usable = reachable && (await completeNative(native));
  const root = (): Promise<string> => openStagingRoot(account === null ? [dataDir] : stagingRoots);
  const settled = usable ? native : await stageNative(native, await root());
  const dir = account === null || (await staysInPlace(dataDir, account)) ? dataDir : await stagedDir(dataDir, root);
  // PostgreSQL speaks of itself in real paths, by which an orphan is known.
  const real = { dir: await realpath(settled.dir), label: settled.label };
  return { dir, cluster: join(dir, 'postgres'), native: real, account };
}

/** An existing cluster stays with the user who owns it, whoever a look-up finds today. */
async function keepOwner(dataDir: string, account: Account | null): Promise<Account | null> {
  if (account === null) return null;
  const dir = (await readPointer(dataDir)) ?? dataDir;
  const owner = lstatSync(join(dir, 'postgres'), { throwIfNoEntry: false });
  return owner === undefined || owner.uid === 0 ? account : { uid: owner.uid, gid: owner.gid };
}

/** In place when it began there, or when it begins now and PostgreSQL's user can enter. */
async function staysInPlace(dataDir: string, account: Account): Promise<boolean> {
  if ((await readPointer(dataDir)) !== null) return false;
  return canEnter(account, dataDir);
}

async function stagedDir(dataDir: string, root: () => Promise<string>): Promise<string> {
  const known = await readPointer(dataDir);
  if (known !== null) {
    await checkStaged(known, dataDir);
    return known;
  }
  const parent = await realpath(await root());
  // The random part: a data folder that was deleted and made anew must not meet the old cluster.
  const key = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const dir = join(parent, `data-${key}-${randomBytes(4).toString('hex')}`);
  await ensureOwnFolder(dir, 0o711);
  await writeFile(join(dir, ORIGIN), `${dataDir}\n`, { mode: 0o644 });
  await writeFile(join(dataDir, POINTER), `${dir}\n`, { mode: 0o600, flag: 'wx' });
  return dir;
}

async function readPointer(dataDir: string): Promise<string | null> {
  return readFile(join(dataDir, POINTER), 'utf8').then(
    (text) => text.trim() || null,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    },
  );
}

/** A data folder that was copied would share the original's cluster: both would write to one database. */
async function checkStaged(dir: string, dataDir: string): Promise<void> {
  const refuse = (message: string, remedy: string): never => {
    throw new SendoffError(message, { code: 'EMBEDDED_STAGING', blame: 'input', remedy, facts: { dir, dataDir } });
  };
  const entry = lstatSync(dir, { throwIfNoEntry: false });
  if (entry === undefined) {
    return refuse(
      `the database of this data folder is gone from ${dir}`,
      `Restore ${dir}, or delete ${dataDir} to begin anew.`,
    );
  }
  if (!entry.isDirectory() || entry.uid !== process.getuid?.() || (entry.mode & 0o022) !== 0) {
    return refuse(`${dir} is not a folder that only this user can write`, 'Find out who changed it before you go on.');
  }
  const origin = (await readFile(join(dir, ORIGIN), 'utf8')).trim();
  if (origin === dataDir) return;
  if ((await readPointer(origin).catch(() => null)) === dir) {
    return refuse(
      `${dir} is the database of ${origin}, of which this data folder is a copy`,
      `Delete ${join(dataDir, POINTER)} to begin with an empty database.`,
    );
  }
  await writeFile(join(dir, ORIGIN), `${dataDir}\n`, { mode: 0o644 });
}

/** Makes a folder for PostgreSQL alone. */
export async function makeServerFolder(dir: string, account: Account | null): Promise<void> {
  await mkdir(dir, { mode: 0o700 });
  if (account !== null) await chown(dir, account.uid, account.gid);
}
