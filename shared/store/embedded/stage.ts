import { randomUUID } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, open, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, SendoffError } from '#shared/errors.js';
import { completeNative, type Native } from './binaries.js';

// Root's home is closed to the user that PostgreSQL runs as. What it must reach is then kept here.
export const STAGING_ROOTS = ['/var/lib/sendoff', '/var/tmp/sendoff'];

/**
 * The first of these folders that is ours and that nobody else can write; created when missing.
 * @throws SendoffError EMBEDDED_STAGING when none will do: one that another user made is never trusted.
 */
export async function openStagingRoot(candidates: readonly string[]): Promise<string> {
  const failures: string[] = [];
  for (const dir of candidates) {
    try {
      await ensureOwnFolder(dir, 0o755);
      return dir;
    } catch (error) {
      failures.push(messageOf(error));
    }
  }
  throw new SendoffError('no folder is fit for what the embedded PostgreSQL must reach', {
    code: 'EMBEDDED_STAGING',
    blame: 'input',
    remedy: `Make ${candidates[0]} (owner root, mode 755), put SENDOFF_DATA where every user may enter, or run as an ordinary user.`,
    facts: { failures },
  });
}

/** Creates the folder, or accepts it when it is a real folder of this user that nobody else can write. */
export async function ensureOwnFolder(dir: string, mode: number): Promise<void> {
  await mkdir(dir).then(
    () => chmod(dir, mode),
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
  if (!isOwnFolder(dir)) throw new Error(`${dir} exists and is not a folder that only this user can write`);
}

function isOwnFolder(dir: string): boolean {
  const entry = lstatSync(dir);
  return entry.isDirectory() && entry.uid === process.getuid?.() && (entry.mode & 0o022) === 0;
}

/** Copies the binaries to `<root>/postgresql-<label>`, once; whoever comes later uses the copy. */
export async function stageNative(native: Native, root: string): Promise<Native> {
  const staged = { dir: join(root, `postgresql-${native.label}`, 'native'), label: native.label };
  const target = join(root, `postgresql-${native.label}`);
  if (await isThere(target)) return trust(staged, target);
  const fresh = join(root, `postgresql-${native.label}.${randomUUID()}.new`);
  try {
    await makeFolder(fresh);
    await copyTree(native.dir, join(fresh, 'native'));
    if (!(await completeNative({ dir: join(fresh, 'native'), label: native.label }))) throw new Error('cannot write');
    await rename(fresh, target);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another starter was faster.
    if (!(await isThere(target))) throw error;
  }
  return trust(staged, target);
}

function trust(staged: Native, target: string): Native {
  if (isOwnFolder(target)) return staged;
  throw new SendoffError(`${target} was not made by this user`, {
    code: 'EMBEDDED_STAGING',
    blame: 'input',
    remedy: 'Find out who made it, remove it, and start again.',
  });
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Modes are set, not copied: the clone may have been made under umask 077. */
async function copyTree(from: string, to: string): Promise<void> {
  await makeFolder(to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    // Static libraries are for linking programs.
    else if (!entry.name.endsWith('.a')) await copyDurably(source, target);
  }
}

async function makeFolder(dir: string): Promise<void> {
  await mkdir(dir);
  await chmod(dir, 0o755);
}

async function copyDurably(source: string, target: string): Promise<void> {
  await copyFile(source, target);
  const { mode } = await lstat(source);
  await chmod(target, (mode & 0o111) === 0 ? 0o644 : 0o755);
  // The rename that follows must not survive a power cut that these bytes did not.
  const file = await open(target, 'r');
  await file.sync();
  await file.close();
}
