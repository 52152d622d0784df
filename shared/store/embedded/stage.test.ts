import { chmod, chown, lstat, mkdir, mkdtemp, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { completeNative, type Native } from './binaries.js';
import { isRoot } from './run-as.js';
import { openStagingRoot, stageNative } from './stage.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stage-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A native folder as npm unpacks it under umask 077, its postinstall script not approved. */
async function nativeFolder(): Promise<Native> {
  const native = join(dir, 'package', 'native');
  for (const name of ['bin', 'lib', 'share']) await mkdir(join(native, name), { recursive: true, mode: 0o700 });
  for (const name of ['bin/postgres', 'bin/initdb']) await writeFile(join(native, name), 'x', { mode: 0o700 });
  for (const name of ['lib/libpq.so.5.18', 'lib/libpq.a', 'share/a'])
    await writeFile(join(native, name), 'x', { mode: 0o600 });
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
  await writeFile(join(native, 'pg-symlinks.json'), JSON.stringify(links));
  return { dir: native, label: '18.4.0-test' };
}

test('links that the postinstall script did not make are made', async () => {
  const native = await nativeFolder();
  expect(await completeNative(native)).toBe(true);
  expect(await readlink(join(native.dir, 'lib/libpq.so.5'))).toBe('libpq.so.5.18');
});

test('a staged copy can be read and run by everybody, and is complete', async () => {
  const staged = await stageNative(await nativeFolder(), dir);
  expect((await lstat(join(staged.dir, 'bin/postgres'))).mode & 0o777).toBe(0o755);
  expect((await lstat(join(staged.dir, 'share/a'))).mode & 0o777).toBe(0o644);
  expect((await lstat(join(staged.dir, 'lib'))).mode & 0o777).toBe(0o755);
  expect(await readlink(join(staged.dir, 'lib/libpq.so.5'))).toBe('libpq.so.5.18');
});

test('it is made once, whoever races for it', async () => {
  const native = await nativeFolder();
  const all = await Promise.all(Array.from({ length: 4 }, () => stageNative(native, dir)));
  expect(new Set(all.map((staged) => staged.dir)).size).toBe(1);
  await writeFile(join(native.dir, 'share/a'), 'changed');
  expect(await stageNative(native, dir)).toEqual(all[0]);
});

test('a folder that others can write is not trusted', async () => {
  const open = join(dir, 'open');
  await mkdir(open);
  await chmod(open, 0o777);
  await expect(openStagingRoot([open])).rejects.toMatchObject({ code: 'EMBEDDED_STAGING' });
  expect(await openStagingRoot([open, join(dir, 'own')])).toBe(join(dir, 'own'));
});

test('a link to somewhere else is not trusted', async () => {
  await symlink(dir, join(dir, 'link'));
  await expect(openStagingRoot([join(dir, 'link')])).rejects.toMatchObject({ code: 'EMBEDDED_STAGING' });
});

test.runIf(isRoot())('a folder or a copy that another user made is not trusted (root only)', async () => {
  const native = await nativeFolder();
  await mkdir(join(dir, 'theirs', 'postgresql-18.4.0-test', 'native'), { recursive: true });
  await chown(join(dir, 'theirs', 'postgresql-18.4.0-test'), 65_534, 65_534);
  await expect(stageNative(native, join(dir, 'theirs'))).rejects.toMatchObject({ code: 'EMBEDDED_STAGING' });
  await chown(join(dir, 'theirs'), 65_534, 65_534);
  await expect(openStagingRoot([join(dir, 'theirs')])).rejects.toMatchObject({ code: 'EMBEDDED_STAGING' });
});
