import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Holder, livingHolder, lockFolder } from './folder-lock.js';
import { lightLamp } from './lamp.js';
import { identify } from './process-identity.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A lock as a process that no longer runs would have left it. */
async function leaveLock(holder: Partial<Holder> = {}): Promise<void> {
  const dead: Holder = { ...identify(), started: 'long ago', nonce: crypto.randomUUID(), lamp: null };
  await writeFile(join(dir, 'owner.lock'), JSON.stringify({ ...dead, ...holder }));
}

const OWNED = { code: 'DATA_FOLDER_OWNED' };

describe('a data folder has one owner', () => {
  test('a second one is refused and told whom to stop', async () => {
    const lock = await lockFolder(dir);
    await expect(lockFolder(dir)).rejects.toMatchObject({ ...OWNED, facts: { pid: process.pid } });
    await lock.release();
  });

  test('released, it can be taken again, and nothing lies about', async () => {
    await (await lockFolder(dir)).release();
    expect(await readdir(dir)).toEqual([]);
    await (await lockFolder(dir)).release();
  });

  test('release leaves a lock alone that is no longer its own', async () => {
    const lock = await lockFolder(dir);
    await leaveLock({ started: identify().started });
    await lock.release();
    expect(await livingHolder(dir)).not.toBeNull();
  });

  test.each([
    ['whose pid another process has by now', { started: 'long ago' }],
    ['from before a reboot', { boot: 'earlier', started: identify().started }],
  ])('a lock %s is taken over', async (_, holder) => {
    await leaveLock(holder);
    expect(await livingHolder(dir)).toBeNull();
    const lock = await lockFolder(dir);
    expect(await livingHolder(dir)).toEqual(lock.holder);
    await lock.release();
  });

  test.each([
    ['of another machine', { host: 'elsewhere', boot: 'another' }],
    ['of another container whose lamp cannot be asked', { namespace: 'pid:[1]', lamp: 'gone.sock' }],
  ])('in doubt it is refused: a lock %s', async (_, holder) => {
    await leaveLock(holder);
    await expect(lockFolder(dir)).rejects.toMatchObject({ ...OWNED, remedy: expect.stringContaining('owner.lock') });
  });

  test('a lock that cannot be read is refused', async () => {
    await writeFile(join(dir, 'owner.lock'), '');
    await expect(lockFolder(dir)).rejects.toMatchObject(OWNED);
  });

  test.runIf(process.platform === 'linux')('of another container: alive while its lamp is lit', async () => {
    const lamp = await lightLamp(dir, 'owner-1.sock');
    await leaveLock({ namespace: 'pid:[1]', lamp: 'owner-1.sock' });
    await expect(lockFolder(dir)).rejects.toMatchObject(OWNED);
    await lamp?.putOut();
  });

  test.runIf(process.platform === 'linux')('of another container: dead when its lamp went out', async () => {
    const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    const killed = spawn(process.execPath, ['-e', script, join(dir, 'owner-1.sock')]);
    await once(killed, 'exit');
    await leaveLock({ namespace: 'pid:[1]', lamp: 'owner-1.sock' });
    const lock = await lockFolder(dir);
    expect((await readdir(dir)).sort()).toEqual(['owner.lock', lock.holder.lamp].sort());
    await lock.release();
  });

  test.each(Array.from({ length: 10 }, (_, round) => round))(
    'of many that race for a dead one exactly one wins (%i)',
    async () => {
      await leaveLock();
      const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => lockFolder(dir)));
      const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      expect(won.map((lock) => lock.holder)).toEqual([await livingHolder(dir)]);
      for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(OWNED);
      await won[0]?.release();
      expect(await readdir(dir)).toEqual([]);
    },
  );
});
