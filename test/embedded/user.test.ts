import { execFileSync } from 'node:child_process';
import { chown, mkdir, mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canEnter, isRoot } from '#shared/store/embedded/run-as.js';
import { countPostmasters, postmasterPid, rowIds } from './folder.js';
import { startOwner } from './owner-process.js';

// Run by root, the other tests never see an ordinary user; run by one, they do, and these have nothing to add.

const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
const nobody = isRoot() ? { uid: id('-u'), gid: id('-g') } : null;
const checkout = resolve(import.meta.dirname, '../..');
// A checkout, or a Node, under root's home cannot be read by another user at all.
const possible =
  nobody !== null && (await canEnter(nobody, checkout)) && (await canEnter(nobody, dirname(process.execPath)));

let home: string;
beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'user-')));
});
afterEach(() => rm(home, { recursive: true, force: true }));

describe.runIf(possible)('as an ordinary user (started by root, in a checkout that all may enter)', () => {
  const account = () => ({ uid: nobody?.uid ?? 0, gid: nobody?.gid ?? 0, home });

  test('everything is in the data folder, and a kill loses nothing', async () => {
    await chown(home, account().uid, account().gid);
    const dataDir = join(home, '.sendoff');
    const cluster = join(dataDir, 'postgres');
    const first = startOwner({ dataDir, account: account() });
    await first.until('started');
    first.child.stdin?.write('go');
    await first.until('row', 20);
    const postmaster = await postmasterPid(cluster);
    expect((await stat(`/proc/${postmaster}`)).uid).toBe(account().uid);
    process.kill(postmaster, 'SIGKILL');
    await first.end('SIGKILL');
    const second = startOwner({ dataDir, account: account() });
    const { url = '' } = await second.until('started');
    expect(await rowIds(url)).toEqual(expect.arrayContaining(first.events.flatMap((event) => event.id ?? [])));
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect(await second.end('SIGTERM')).toBe(0);
    expect(await countPostmasters(cluster)).toBe(0);
  });

  test('the folder of another user is refused in words', async () => {
    await chown(home, account().uid, account().gid);
    const dataDir = join(home, 'theirs');
    await mkdir(dataDir, { mode: 0o755 });
    const owner = startOwner({ dataDir, account: account() });
    expect((await owner.until('failed')).code).toBe('DATA_FOLDER_UNUSABLE');
    expect(await owner.ended()).toBe(2);
  });
});
