import type { TestProject } from 'vitest/node';
import { migrateQueue } from '#shared/queue/postgres.js';
import { makeTemplate, TEMPLATE } from '#test/support/global-setup.js';
import { createPostgres } from '#test/support/postgres.js';

/** As test/support/global-setup.ts, but with room for the connections of some twenty Sendoffs at once. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await createPostgres(500);
  await makeTemplate(server.url);
  // Spares every world a `sendoff migrate`.
  await migrateQueue({ connectionString: server.url.replace(/[^/]*$/, TEMPLATE) });
  project.provide('databaseUrl', server.url);
  return server.remove;
}
