import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Pool } from 'pg';
import { inject } from 'vitest';
import { type Db, openDatabase } from '#shared/store/database.js';
import { TEMPLATE } from './global-setup.js';
import { silent } from './silent.js';

export interface TestDatabase {
  url: string;
  db: Db;
  pool: Pool;
  /** Closes the pool and drops the database, whoever is still connected. */
  drop(): Promise<void>;
}

/**
 * A fresh migrated database in the run's one PostgreSQL. Usually one per test file:
 * `const database = await createTestDatabase(); afterAll(() => database.drop());`
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject('databaseUrl');
  const name = `t_${randomBytes(6).toString('hex')}`;
  await run(server, `create database ${name} template ${TEMPLATE}`);
  const url = server.replace(/[^/]*$/, name);
  const { db, pool, close } = openDatabase({
    url,
    max: 5,
    statementTimeoutMs: 30_000,
    applicationName: name,
    tls: 'off',
    log: silent,
  });
  const drop = async (): Promise<void> => {
    await close();
    // PostgreSQL's own cleaner may be in it, whom nobody may send away.
    for (let tries = 1; ; tries += 1) {
      try {
        return await run(server, `drop database if exists ${name} with (force)`);
      } catch (error) {
        if (tries === 20) throw error;
        await sleep(250);
      }
    }
  };
  return { url, db, pool, drop };
}

async function run(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
