import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { silent } from '#test/support/silent.js';
import { openDatabase } from './database.js';
import { migrate, pendingMigrations } from './migrate.js';
import { migrations } from './migrations/index.js';

const all = Object.keys(migrations);
let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

async function empty(): Promise<void> {
  await database.pool.query('drop schema public cascade; create schema public');
}

test('an empty database is brought to the newest schema', async () => {
  await empty();
  expect(await pendingMigrations(database.db)).toEqual(all);
  expect(await migrate(database.db)).toEqual(all);
  expect(await pendingMigrations(database.db)).toEqual([]);
  expect(await database.db.selectFrom('inbox').selectAll().execute()).toEqual([]);
});

test('a second time there is nothing to do', async () => {
  expect(await migrate(database.db)).toEqual([]);
});

test('of concurrent starters one migrates, the others wait for it', async () => {
  await empty();
  const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(database.db)));
  expect(applied.flat()).toEqual(all);
});

test('a starter waits for a slow one instead of failing at the usual time limits', async () => {
  await empty();
  const slow = await database.pool.connect();
  await slow.query('select pg_advisory_lock(3853314791062309107)');
  const usual = { tls: 'off', log: silent, max: 1, applicationName: 'sendoff-web', statementTimeoutMs: 50 } as const;
  const second = openDatabase({ ...usual, url: database.url });
  const waiting = migrate(second.db);
  await expect.poll(() => waitsForLock()).toBe(true);
  await slow.query('select pg_sleep(0.2)');
  await slow.query('select pg_advisory_unlock(3853314791062309107)');
  slow.release();
  expect(await waiting).toEqual(all);
  await second.close();
});

async function waitsForLock(): Promise<boolean> {
  const { rows } = await sql<{ n: string }>`
    select count(*) as n from pg_stat_activity where datname = current_database() and wait_event = 'advisory'
  `.execute(database.db);
  return rows[0]?.n === '1';
}

test('a database that a newer release migrated is refused and left as it is', async () => {
  await database.pool.query(`insert into kysely_migration (name, timestamp) values ('9999-later', 'x')`);
  const newer = { code: 'DATABASE_NEWER', facts: { unknown: ['9999-later'] } };
  await expect(migrate(database.db)).rejects.toMatchObject(newer);
  await expect(pendingMigrations(database.db)).rejects.toMatchObject(newer);
});

test('what stands in the way is named and nothing is half done', async () => {
  await empty();
  await database.pool.query('create table inbox (id int)');
  await expect(migrate(database.db)).rejects.toMatchObject({ code: 'MIGRATION_FAILED', facts: { migration: all[0] } });
  expect(await pendingMigrations(database.db)).toEqual(all);
});

test('the connection it used has its time limits back', async () => {
  await migrate(database.db);
  const { rows } = await sql<{ lock_timeout: string }>`show lock_timeout`.execute(database.db);
  expect(rows).toEqual([{ lock_timeout: '2s' }]);
});
