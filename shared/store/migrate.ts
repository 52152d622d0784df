import { type Kysely, Migrator, sql } from 'kysely';
import { messageOf, SendoffError } from '#shared/errors.js';
import type { Db } from './database.js';
import { migrations } from './migrations/index.js';
import type { Schema } from './schema.js';
import { withoutWatch } from './watched-pool.js';

/**
 * Brings the database to the newest schema. Safe for concurrent starters: a second waits for the first.
 * @returns the names applied, in order; empty when there was nothing to do.
 * @throws SendoffError DATABASE_NEWER when the database knows migrations that this code does not;
 * MIGRATION_FAILED (cause kept) when a migration fails; nothing of the batch is applied then.
 */
export function migrate(db: Db): Promise<string[]> {
  return withoutWatch(() =>
    db.connection().execute(async (connection) => {
      await refuseNewer(connection);
      // A migration may take longer than a request may, and a second starter waits for the first one's.
      await sql`set statement_timeout = 0`.execute(connection);
      await sql`set lock_timeout = '60s'`.execute(connection);
      await sql`set idle_in_transaction_session_timeout = 0`.execute(connection);
      try {
        return await migrateToLatest(connection);
      } finally {
        await sql`reset all`.execute(connection);
      }
    }),
  );
}

/**
 * The migrations that `migrate` would apply, by name; changes nothing.
 * @throws SendoffError DATABASE_NEWER as `migrate` does.
 */
export async function pendingMigrations(db: Db): Promise<string[]> {
  const applied = new Set(await refuseNewer(db));
  return Object.keys(migrations).filter((name) => !applied.has(name));
}

async function migrateToLatest(db: Kysely<Schema>): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return (results ?? []).map((result) => result.migrationName);
  // A newer release may have migrated between our look and our lock.
  await refuseNewer(db);
  const failed = results?.find((result) => result.status === 'Error')?.migrationName;
  throw new SendoffError(`the database could not be migrated${failed ? ` (${failed})` : ''}: ${messageOf(error)}`, {
    code: 'MIGRATION_FAILED',
    blame: 'remote',
    remedy: 'Nothing was changed. Remove what the message names, then run `sendoff migrate` again.',
    facts: { migration: failed },
    cause: error,
  });
}

/** Applied names; throws DATABASE_NEWER when one of them is not ours. */
async function refuseNewer(db: Kysely<Schema>): Promise<string[]> {
  const table = await sql<{ exists: boolean }>`select to_regclass('kysely_migration') is not null as exists`.execute(
    db,
  );
  if (!table.rows[0]?.exists) return [];
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  const applied = rows.map((row) => row.name);
  const unknown = applied.filter((name) => !(name in migrations));
  if (unknown.length === 0) return applied;
  throw new SendoffError(`the database has migrations that this release does not know: ${unknown.join(', ')}`, {
    code: 'DATABASE_NEWER',
    blame: 'input',
    remedy: 'Run the release that migrated this database or a newer one. Going back needs a backup from before.',
    facts: { unknown },
  });
}

/**
 * Refuses to work on a database that lacks migrations. One that does not answer is not refused: it may come back.
 * @throws SendoffError DATABASE_BEHIND, DATABASE_NEWER
 */
export async function assertMigrated(db: Db): Promise<void> {
  const pending = await pendingMigrations(db).catch((error: unknown) => {
    if (error instanceof SendoffError) throw error;
    return [];
  });
  if (pending.length === 0) return;
  throw new SendoffError(`the database lacks ${pending.join(', ')}`, {
    code: 'DATABASE_BEHIND',
    blame: 'input',
    remedy: 'run `sendoff migrate` first (the Procfile does so at release)',
  });
}
