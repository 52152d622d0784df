import { readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SendoffError } from '#shared/errors.js';
import { type Holder, livingHolder } from './folder-lock.js';

// How the CLI finds the database of a running `up`. Its password is in it, hence owner-only.
const FILE = 'database.json';

interface Attachment {
  url: string;
  pid: number;
  /** The lock's: a file that a killed Sendoff left behind says nothing about its successor. */
  nonce: string;
}

/**
 * The database of the Sendoff that runs on this data folder.
 * @returns null when none runs, or when it is still starting.
 * @throws SendoffError DATA_FOLDER_CLOSED when the folder belongs to another user.
 */
export async function attachEmbedded(dataDir: string): Promise<{ url: string; pid: number } | null> {
  try {
    const dir = await realpath(dataDir);
    const holder = await livingHolder(dir);
    const { url, pid, nonce } = JSON.parse(await readFile(join(dir, FILE), 'utf8')) as Attachment;
    return holder !== null && holder.nonce === nonce ? { url, pid } : null;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    if (code !== 'EACCES') throw error;
    throw new SendoffError(`the data folder ${dataDir} belongs to another user`, {
      code: 'DATA_FOLDER_CLOSED',
      blame: 'input',
      remedy: 'Run the command as the user who runs Sendoff.',
      cause: error,
    });
  }
}

/** Tells the CLI where the database is; replaces the file whole. */
export async function writeAttachment(dir: string, holder: Holder, url: string): Promise<void> {
  const fresh = join(dir, `${FILE}.new`);
  const attachment: Attachment = { url, pid: holder.pid, nonce: holder.nonce };
  await rm(fresh, { force: true });
  await writeFile(fresh, `${JSON.stringify(attachment)}\n`, { mode: 0o600, flag: 'wx' });
  await rename(fresh, join(dir, FILE));
}

export async function removeAttachment(dir: string): Promise<void> {
  await rm(join(dir, FILE), { force: true });
}
