import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openDatabase } from '#shared/store/database.js';
import { migrate } from '#shared/store/migrate.js';
import { createWorld, type World, type WorldOptions } from '#test/support/world.js';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A world as the tests have it, on a database of its own of this server. */
export async function openBenchWorld(serverUrl: string, options: WorldOptions): Promise<World> {
  const name = `bench_${randomBytes(4).toString('hex')}`;
  const admin = new pg.Client({ connectionString: serverUrl });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = serverUrl.replace(/[^/]*$/, name);
  const { db, pool, close } = openDatabase({
    url,
    max: 4,
    statementTimeoutMs: 30_000,
    applicationName: name,
    tls: 'off',
    log: silent,
  });
  await migrate(db);
  return createWorld({ ...options, database: { url, db, pool, drop: close } });
}
