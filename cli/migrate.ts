import type { Command } from 'commander';
import { migrateQueue } from '#shared/queue/postgres.js';
import { poolConfig } from '#shared/store/database.js';
import { migrate } from '#shared/store/migrate.js';
import { withDatabase } from './database.js';
import { print } from './output.js';
import { commonOptions, environmentNow } from './session.js';

export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .description('bring the database to the newest schema; safe to repeat, and beside running processes')
    .action(async (_options: unknown, command: Command) => {
      const { json } = commonOptions(command);
      const environment = environmentNow();
      const applied = await withDatabase(
        environment,
        async ({ db, url }) => {
          const names = await migrate(db);
          if (environment.redisUrl === null) {
            await migrateQueue(
              poolConfig({
                url,
                max: 1,
                statementTimeoutMs: 60_000,
                applicationName: 'sendoff-migrate',
                tls: environment.databaseTls,
              }),
            );
          }
          return names;
        },
        { needsTables: false },
      );
      print(json, { applied }, () =>
        applied.length === 0 ? 'The database is at the newest schema.' : `Applied: ${applied.join(', ')}`,
      );
    });
}
