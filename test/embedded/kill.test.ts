import { chown, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { attachEmbedded, startEmbedded } from '#shared/store/embedded/index.js';
import { silent } from '#test/support/silent.js';
import { countPostmasters, postmasterPid, query, rowIds, type TestFolder, testFolder } from './folder.js';
import { type OwnerProcess, startOwner } from './owner-process.js';

let folder: TestFolder;
beforeEach(async () => {
  folder = await testFolder();
});
afterEach(() => folder.remove());

const start = () => startEmbedded({ dataDir: folder.dataDir, log: silent });
const acknowledged = (owner: OwnerProcess): number[] =>
  owner.events.flatMap(({ event, id }) => (event === 'row' && id ? [id] : []));

/** An owner that is writing rows and has had some acknowledged. */
async function writingOwner(rows = 50): Promise<OwnerProcess> {
  const owner = startOwner({ dataDir: folder.dataDir });
  await owner.until('started');
  owner.child.stdin?.write('go');
  await owner.until('row', rows);
  return owner;
}

describe('Sendoff is killed', () => {
  test('its server is adopted, every acknowledged row is there', async () => {
    const owner = await writingOwner();
    await owner.end('SIGKILL');
    const pid = await postmasterPid(folder.cluster);
    expect(await countPostmasters(folder.cluster)).toBe(1);
    expect(await attachEmbedded(folder.dataDir)).toBeNull();
    const { url, stop } = await start();
    expect(await postmasterPid(folder.cluster)).toBe(pid);
    expect(await rowIds(url)).toEqual(expect.arrayContaining(acknowledged(owner)));
    await stop();
    expect(await countPostmasters(folder.cluster)).toBe(0);
  });

  test('a server that we cannot enter or did not start this way is stopped, and another started', async () => {
    const owner = await writingOwner();
    await owner.end('SIGKILL');
    const pid = await postmasterPid(folder.cluster);
    await writeFile(join(folder.dataDir, 'database-password'), 'forgotten\n');
    await query((await owner.until('started')).url ?? '', `alter role sendoff password 'forgotten'`);
    await writeFile(join(folder.cluster, 'postmaster.opts'), 'something else\n');
    const { url, stop } = await start();
    expect(await postmasterPid(folder.cluster)).not.toBe(pid);
    expect(await countPostmasters(folder.cluster)).toBe(1);
    expect(await rowIds(url)).toEqual(expect.arrayContaining(acknowledged(owner)));
    await stop();
  });

  test('of several that start after it exactly one owns the folder, over one server', async () => {
    await (await writingOwner()).end('SIGKILL');
    const owners = Array.from({ length: 4 }, () => startOwner({ dataDir: folder.dataDir }));
    const outcomes = await Promise.allSettled(owners.map((owner) => owner.until('started')));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    expect(await countPostmasters(folder.cluster)).toBe(1);
    const winner = owners[outcomes.findIndex((outcome) => outcome.status === 'fulfilled')];
    for (const owner of owners) {
      if (owner === winner) continue;
      expect((await owner.until('failed')).facts).toMatchObject({ pid: winner?.pid });
      expect((await owner.until('failed')).code).toBe('DATA_FOLDER_OWNED');
    }
    expect(await winner?.end('SIGTERM')).toBe(0);
  });

  test('again and again, at once with its server, and half-way through a start: all acknowledged rows are there', async () => {
    const rows = new Set<number>();
    for (let round = 0; round < 8; round += 1) {
      const owner = await writingOwner(20);
      const pid = await postmasterPid(folder.cluster);
      if (round % 2 === 0) process.kill(pid, 'SIGKILL');
      await owner.end('SIGKILL');
      for (const id of acknowledged(owner)) rows.add(id);
      // Killed at an arbitrary moment of its start; which one must not matter.
      const brief = startOwner({ dataDir: folder.dataDir });
      await sleep(300 + 60 * round);
      await brief.end('SIGKILL');
      expect(await countPostmasters(folder.cluster)).toBeLessThanOrEqual(1);
    }
    const { url, stop } = await start();
    expect(await rowIds(url)).toEqual(expect.arrayContaining([...rows]));
    expect(await countPostmasters(folder.cluster)).toBe(1);
    await stop();
  });
});

describe('its server is killed', () => {
  test('while Sendoff runs: it comes back at the same address with every acknowledged row', async () => {
    const owner = await writingOwner();
    const pid = await postmasterPid(folder.cluster);
    process.kill(pid, 'SIGKILL');
    await expect
      .poll(() => owner.events.find(({ message }) => message === 'the embedded database runs again'), {
        timeout: 30_000,
      })
      .toBeDefined();
    const { url = '' } = await owner.until('started');
    expect(await rowIds(url)).toEqual(expect.arrayContaining(acknowledged(owner)));
    expect(await attachEmbedded(folder.dataDir)).toEqual({ url, pid: owner.pid });
    expect(await countPostmasters(folder.cluster)).toBe(1);
    expect(await owner.end('SIGTERM')).toBe(0);
    expect(await countPostmasters(folder.cluster)).toBe(0);
  });

  test('while an adopting Sendoff runs: it comes back too', async () => {
    await (await writingOwner()).end('SIGKILL');
    const owner = startOwner({ dataDir: folder.dataDir });
    const { url = '' } = await owner.until('started');
    expect(owner.events).toContainEqual(expect.objectContaining({ adopted: true }));
    process.kill(await postmasterPid(folder.cluster), 'SIGKILL');
    await expect
      .poll(() => owner.events.find(({ message }) => message === 'the embedded database runs again'), {
        timeout: 30_000,
      })
      .toBeDefined();
    expect((await rowIds(url)).length).toBeGreaterThanOrEqual(50);
    expect(await owner.end('SIGTERM')).toBe(0);
  });

  test('and Sendoff told to stop at that moment: it stops, and no server is left', async () => {
    const owner = await writingOwner();
    process.kill(await postmasterPid(folder.cluster), 'SIGKILL');
    expect(await owner.end('SIGTERM')).toBe(0);
    expect(await countPostmasters(folder.cluster)).toBe(0);
  });

  test('a pid file whose pid another process has by now does not keep it from starting', async () => {
    const first = await start();
    await query(first.url, 'create table kept as select 1 as id');
    const file = join(folder.cluster, 'postmaster.pid');
    const stale = (await readFile(file, 'utf8')).replace(/^\d+/, String(process.pid));
    await first.stop();
    await writeFile(file, stale, { mode: 0o600 });
    const owner = await stat(folder.cluster);
    await chown(file, owner.uid, owner.gid);
    const second = await start();
    expect(await query(second.url, 'select id from kept')).toEqual([{ id: 1 }]);
    await second.stop();
  });
});
