import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, SendoffError } from '#shared/errors.js';
import type { StoreLog } from '#shared/store/database.js';
import { removeAttachment, writeAttachment } from './attach.js';
import { findNative, type Native } from './binaries.js';
import { DATABASE, prepareCluster, ROLE, readPassword } from './cluster.js';
import { type FolderLock, lockFolder } from './folder-lock.js';
import { type Home, settleHome } from './home.js';
import { settleOrphan } from './orphan.js';
import { findAccount, isRoot } from './run-as.js';
import { STAGING_ROOTS } from './stage.js';
import { type Supervised, supervise } from './supervise.js';

export interface EmbeddedOptions {
  /** SENDOFF_DATA; made when missing. */
  dataDir: string;
  log: StoreLog;
  /** Binaries other than those npm installed. */
  native?: Native;
  /** Where root keeps what PostgreSQL's user must reach; the first that can be had. */
  stagingRoots?: readonly string[];
}

export interface Embedded {
  /** Stays the same while this process runs, also when the server had to be restarted. */
  url: string;
  /** Fast shutdown; waits, then gives the folder back. */
  stop(): Promise<void>;
}

const README = `Sendoff's data. Made by the embedded database; safe to read, not to edit while Sendoff runs.

postgres/            PostgreSQL's data directory (or database-location: where it lives instead, because
                     PostgreSQL's user cannot enter this folder)
postgres.log         what the server says
database-password    of the role "sendoff"
database.json        address of the running database; gone when none runs
owner.lock           who runs on this folder

Back up with pg_dump while it runs, or copy the folder (and what database-location names) while it does not.
`;

/**
 * Starts the data folder's own PostgreSQL, or adopts the one that a killed Sendoff left running, and restarts it
 * when it dies. Where this process ends without stop(), the server lives on and nothing is lost.
 * @throws SendoffError DATA_FOLDER_OWNED while another process owns the folder; EMBEDDED_* when it cannot start.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  try {
    return await start(options);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EEXIST'].includes(code)) throw error;
    throw new SendoffError(`the data folder ${options.dataDir} cannot be used: ${messageOf(error)}`, {
      code: 'DATA_FOLDER_UNUSABLE',
      blame: 'input',
      remedy: 'SENDOFF_DATA must be a folder that this user owns and can write, with space left.',
      cause: error,
    });
  }
}

async function start(options: EmbeddedOptions): Promise<Embedded> {
  // Root's folder must let PostgreSQL's user through to its own part; every file in it has its own rights.
  await mkdir(options.dataDir, { recursive: true, mode: isRoot() ? 0o711 : 0o700 });
  const dataDir = await realpath(options.dataDir);
  const lock = await lockFolder(dataDir);
  try {
    await removeAttachment(dataDir);
    await writeFile(join(dataDir, 'README.txt'), README);
    const native = options.native ?? (await findNative());
    const home = await settleHome(dataDir, native, await findAccount(), options.stagingRoots ?? STAGING_ROOTS);
    // Two data folders may come to name one home (a copy); it has one owner all the same.
    const homeLock = home.dir === dataDir ? null : await lockFolder(home.dir);
    try {
      const supervised = await run(dataDir, home, options.log);
      await writeAttachment(dataDir, lock.holder, supervised.url);
      return { url: supervised.url, stop: once(() => stop(dataDir, supervised, [homeLock, lock])) };
    } catch (error) {
      await homeLock?.release();
      throw error;
    }
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function run(dataDir: string, home: Home, log: StoreLog): Promise<Supervised> {
  const urlWith = (password: string) => (port: number) =>
    `postgres://${ROLE}:${password}@127.0.0.1:${port}/${DATABASE}`;
  // Without its password an orphan cannot be adopted, only stopped; prepareCluster makes a new one then.
  const orphan = await settleOrphan(home, urlWith((await readPassword(dataDir)) ?? ''));
  const urlAt = urlWith(await prepareCluster(dataDir, home));
  return supervise({ home, urlAt, log, logFile: join(dataDir, 'postgres.log') }, orphan);
}

async function stop(dataDir: string, supervised: Supervised, locks: (FolderLock | null)[]): Promise<void> {
  // First, so that no CLI attaches to a server that is going away.
  await removeAttachment(dataDir);
  await supervised.stop();
  for (const lock of locks) await lock?.release();
}

function once(work: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}
