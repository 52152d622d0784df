import type { TestProject } from 'vitest/node';
import { openDatabase } from '#shared/store/database.js';
import { migrate } from '#shared/store/migrate.js';
import { createPostgres } from './postgres.js';
import { silent } from './silent.js';

// One real PostgreSQL for the whole run, with a migrated template that each test file clones.

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string;
  }
}

interface Shared {
  users: number;
  server: Promise<{ url: string; close(): Promise<void> }>;
}

export const TEMPLATE = 'sendoff_template';
// Each vitest project loads this file for itself; they share one server all the same.
const shared = globalThis as { sendoffTestDatabase?: Shared };

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.sendoffTestDatabase ??= { users: 0, server: start() };
  const mine = shared.sendoffTestDatabase;
  mine.users += 1;
  const { url, close } = await mine.server;
  project.provide('databaseUrl', url);
  return async () => {
    mine.users -= 1;
    if (mine.users > 0) return;
    delete shared.sendoffTestDatabase;
    await close();
  };
}

async function start(): Promise<{ url: string; close(): Promise<void> }> {
  // Room for the connections of some ten Sendoffs at once.
  const server = await createPostgres(500);
  await makeTemplate(server.url);
  return { url: server.url, close: server.remove };
}

export async function makeTemplate(url: string): Promise<void> {
  const options = {
    max: 1,
    statementTimeoutMs: 30_000,
    applicationName: 'sendoff-test',
    tls: 'off',
    log: silent,
  } as const;
  const server = openDatabase({ ...options, url });
  await server.pool.query(`create database ${TEMPLATE}`);
  await server.close();
  const template = openDatabase({ ...options, url: url.replace(/[^/]*$/, TEMPLATE) });
  await migrate(template.db);
  await template.close();
}
