import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeNative, findNative } from '#shared/store/embedded/binaries.js';
import { type Embedded, startEmbedded } from '#shared/store/embedded/index.js';
import { isRoot } from '#shared/store/embedded/run-as.js';
import { silent } from '#test/support/silent.js';
import { query } from './folder.js';

// A clone under root's home: nobody but root may enter it, and PostgreSQL does not run as root.

let root: string;
let staging: string;
let running: Embedded | undefined;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'root-')));
  await chmod(root, 0o711);
  staging = join(root, 'staging');
  await mkdir(join(root, 'home'), { mode: 0o700 });
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await rm(root, { recursive: true, force: true });
});

async function start(dataDir: string): Promise<Embedded> {
  const found = await findNative();
  const copy = join(root, 'home', 'package', 'native');
  await cp(dirname(found.dir), dirname(copy), { recursive: true, verbatimSymlinks: true });
  const native = await describeNative(copy, `${process.platform}-${process.arch}`);
  running = await startEmbedded({ dataDir, log: silent, native, stagingRoots: [staging] });
  return running;
}

async function stop(): Promise<void> {
  await running?.stop();
  running = undefined;
}

describe.runIf(isRoot())('as root, in a folder that only root may enter (root only)', () => {
  test('it runs from a staged copy as another user, keeps its rows, and the data folder says where they are', async () => {
    const dataDir = join(root, 'home', '.sendoff');
    const first = await start(dataDir);
    await query(first.url, 'create table kept as select 1 as id');
    await stop();
    const place = (await readFile(join(dataDir, 'database-location'), 'utf8')).trim();
    expect(dirname(place)).toBe(staging);
    expect((await stat(join(place, 'postgres'))).uid).not.toBe(0);
    expect((await stat(join(place, 'postgres'))).mode & 0o777).toBe(0o700);
    const second = await start(dataDir);
    expect(await query(second.url, 'select id from kept')).toEqual([{ id: 1 }]);
    expect((await readdir(staging)).filter((name) => name.startsWith('postgresql-'))).toHaveLength(1);
  });

  test('a copy of the data folder does not write to the original database', async () => {
    const dataDir = join(root, 'home', '.sendoff');
    await start(dataDir);
    await stop();
    const copy = join(root, 'home', 'copy');
    await cp(dataDir, copy, { recursive: true });
    await expect(start(copy)).rejects.toMatchObject({ code: 'EMBEDDED_STAGING' });
  });

  test('a data folder that was moved finds its database', async () => {
    const first = await start(join(root, 'home', '.sendoff'));
    await query(first.url, 'create table kept as select 1 as id');
    await stop();
    await cp(join(root, 'home', '.sendoff'), join(root, 'home', 'moved'), { recursive: true });
    await rm(join(root, 'home', '.sendoff'), { recursive: true });
    const second = await start(join(root, 'home', 'moved'));
    expect(await query(second.url, 'select id from kept')).toEqual([{ id: 1 }]);
  });

  test('a data folder that was deleted and made anew begins empty', async () => {
    const dataDir = join(root, 'home', '.sendoff');
    const first = await start(dataDir);
    await query(first.url, 'create table kept as select 1 as id');
    await stop();
    await rm(dataDir, { recursive: true });
    const second = await start(dataDir);
    expect(await query(second.url, `select to_regclass('kept') as kept`)).toEqual([{ kept: null }]);
  });

  test('a database that somebody else now owns is not trusted', async () => {
    const dataDir = join(root, 'home', '.sendoff');
    await start(dataDir);
    await stop();
    const place = (await readFile(join(dataDir, 'database-location'), 'utf8')).trim();
    await chown(place, 65_534, 65_534);
    await expect(start(dataDir)).rejects.toMatchObject({ code: 'EMBEDDED_STAGING' });
  });
});
