import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { attachEmbedded, startEmbedded } from '#shared/store/embedded/index.js';
import { silent } from '#test/support/silent.js';
import { countPostmasters, query, type TestFolder, testFolder } from './folder.js';
import { startOwner } from './owner-process.js';

let folder: TestFolder;
beforeEach(async () => {
  folder = await testFolder();
});
afterEach(() => folder.remove());

const start = () => startEmbedded({ dataDir: folder.dataDir, log: silent });

describe('the embedded database', () => {
  test('keeps what was written over stop and start', async () => {
    const first = await start();
    await query(first.url, 'create table kept as select 1 as id');
    await first.stop();
    expect(await countPostmasters(folder.cluster)).toBe(0);
    const second = await start();
    expect(await query(second.url, 'select id from kept')).toEqual([{ id: 1 }]);
    await second.stop();
  });

  test('is UTF8 under the C locale, durable, on loopback only, behind a password', async () => {
    const { url, stop } = await start();
    expect(
      await query(
        url,
        `select current_setting('server_encoding') as encoding, current_setting('lc_collate', true) as unset,
           (select datcollate from pg_database where datname = current_database()) as collation,
           current_setting('fsync') as fsync, current_setting('listen_addresses') as addresses,
           current_setting('unix_socket_directories') as sockets, current_setting('data_checksums') as checksums,
           (select rolsuper from pg_roles where rolname = current_user) as superuser`,
      ),
    ).toEqual([
      {
        encoding: 'UTF8',
        unset: null,
        collation: 'C',
        fsync: 'on',
        addresses: '127.0.0.1',
        sockets: '',
        checksums: 'on',
        superuser: false,
      },
    ]);
    await expect(query(url.replace(/:[^:@/]+@/, ':wrong@'), 'select 1')).rejects.toMatchObject({ code: '28P01' });
    await stop();
  });

  test('keeps secrets for its owner alone, and out of the environment and the arguments of the server', async () => {
    process.env['SENDOFF_TEST_SECRET'] = 'hunter2';
    const { url, stop } = await start();
    for (const name of ['database-password', 'database.json', 'owner.lock', 'postgres.log']) {
      expect([name, (await stat(join(folder.dataDir, name))).mode & 0o777]).toEqual([name, 0o600]);
    }
    const [row] = await query<{ pid: number }>(url, 'select pg_backend_pid() as pid');
    expect(row).toBeDefined();
    const pid = (await readFile(join(folder.cluster, 'postmaster.pid'), 'utf8')).split('\n', 1)[0];
    if (process.platform === 'linux') {
      const seen = (await readFile(`/proc/${pid}/environ`, 'utf8')) + (await readFile(`/proc/${pid}/cmdline`, 'utf8'));
      expect(seen).not.toMatch(/hunter2/);
      expect(seen).not.toContain(new URL(url).password);
    }
    delete process.env['SENDOFF_TEST_SECRET'];
    await stop();
  });

  test('a second start is refused and names the first', async () => {
    const owner = startOwner({ dataDir: folder.dataDir });
    await owner.until('started');
    await expect(start()).rejects.toMatchObject({ code: 'DATA_FOLDER_OWNED', facts: { pid: owner.pid } });
    expect(await countPostmasters(folder.cluster)).toBe(1);
    expect(await owner.end('SIGTERM')).toBe(0);
  });

  test('a command beside it finds it; before and after there is nothing to find', async () => {
    expect(await attachEmbedded(folder.dataDir)).toBeNull();
    const { url, stop } = await start();
    expect(await attachEmbedded(folder.dataDir)).toEqual({ url, pid: process.pid });
    await stop();
    expect(await attachEmbedded(folder.dataDir)).toBeNull();
    expect(await readdir(folder.dataDir)).not.toContain('owner.lock');
    expect(await readdir(folder.dataDir)).not.toContain('database.json');
  });

  test('Ctrl-C reaches Sendoff and not its database, so it can drain', async () => {
    const owner = startOwner({ dataDir: folder.dataDir });
    await owner.until('started');
    // A terminal sends it to the whole foreground group.
    process.kill(-owner.pid, 'SIGINT');
    await owner.until('drained');
    expect(await owner.ended()).toBe(0);
    expect(await countPostmasters(folder.cluster)).toBe(0);
  });

  test('a lost password is made anew', async () => {
    const first = await start();
    await query(first.url, 'create table kept as select 1 as id');
    await first.stop();
    await rm(join(folder.dataDir, 'database-password'));
    const second = await start();
    expect(second.url).not.toBe(first.url);
    expect(await query(second.url, 'select id from kept')).toEqual([{ id: 1 }]);
    await second.stop();
  });

  test('a cluster of another major version is refused, not touched', async () => {
    await (await start()).stop();
    await writeFile(join(folder.cluster, 'PG_VERSION'), '17\n');
    await expect(start()).rejects.toMatchObject({ code: 'EMBEDDED_VERSION' });
    await writeFile(join(folder.cluster, 'PG_VERSION'), '18\n');
  });
});
