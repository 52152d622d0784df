import { createServer } from 'node:net';
import { sql } from 'kysely';
import { afterAll, afterEach, expect, test } from 'vitest';
import { createTestDatabase } from '#test/support/database.js';
import { type Database, type DatabaseOptions, openDatabase } from './database.js';

const shared = await createTestDatabase();
const opened: Database[] = [];
afterEach(() => Promise.all(opened.splice(0).map((database) => database.close())));
afterAll(() => shared.drop());

function open(options: Partial<DatabaseOptions> = {}): Database & { warnings: string[] } {
  const warnings: string[] = [];
  const log = {
    info: () => undefined,
    warn: (_: object, text: string) => void warnings.push(text),
    error: () => undefined,
  };
  const defaults = {
    url: shared.url,
    max: 2,
    statementTimeoutMs: 5_000,
    applicationName: 'sendoff-web',
    tls: 'off',
  } as const;
  const database = openDatabase({ ...defaults, log, ...options });
  opened.push(database);
  return { ...database, warnings };
}

test('every connection has its time limits and its name', async () => {
  const { rows } = await sql`
    select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
      current_setting('idle_in_transaction_session_timeout') as idle, current_setting('application_name') as name
  `.execute(open().db);
  expect(rows).toEqual([{ statement: '5s', lock: '2s', idle: '15s', name: 'sendoff-web' }]);
});

test('int8 stays a string, timestamptz is a Date, jsonb is parsed', async () => {
  const { rows } =
    await sql`select 9007199254740993::int8 as n, '2026-01-01T00:00:00Z'::timestamptz as t, '{"a":1}'::jsonb as j`.execute(
      open().db,
    );
  expect(rows).toEqual([{ n: '9007199254740993', t: new Date('2026-01-01T00:00:00Z'), j: { a: 1 } }]);
});

test('a lost idle connection is logged and the next query gets a new one', async () => {
  const { db, warnings } = open();
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(shared.db);
  await expect.poll(() => warnings).toEqual(['an idle database connection was lost']);
  expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }]);
});

test('a server that accepts and says nothing is given up', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await expect(sql`select 1`.execute(open({ url: `postgres://u:p@127.0.0.1:${port}/d` }).db)).rejects.toThrow(
    /timeout/,
  );
  server.close();
});

test('a server that freezes in the middle does not hold its caller, and its connection is not used again', async () => {
  const { db, pool } = open({ max: 1, statementTimeoutMs: 1 });
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  const pid = rows[0]?.pid ?? 0;
  process.kill(pid, 'SIGSTOP');
  try {
    await expect(sql`select 1`.execute(db)).rejects.toThrow(/terminated/i);
    const next = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
    expect(next.rows[0]?.pid).not.toBe(pid);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});
