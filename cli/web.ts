import type { Command } from 'commander';
import { startWeb } from '#producers/main.js';
import { loadSigningKey } from '#shared/audit/signing-key.js';
import { requiredDatabaseUrl } from './database.js';
import { prepareServing, serveUntilStopped } from './serve.js';
import { commonOptions } from './session.js';

export function addWeb(program: Command): void {
  program
    .command('web')
    .description('the web role: takes events in, serves health, metrics and the queue dashboard (needs DATABASE_URL)')
    .action(async (_options: unknown, command: Command) => {
      const serving = await prepareServing(commonOptions(command), 'web');
      const { environment, loaded, log, settingsFor } = serving;
      const databaseUrl = requiredDatabaseUrl(environment, 'web');
      if (environment.adminToken === null && loaded.config.signIn === undefined) {
        log.warn({}, 'neither SENDOFF_ADMIN_TOKEN nor signIn is set: nobody can sign in; API tokens work');
      }
      const { adminToken, signingKey } = environment;
      const signer = signingKey === null ? null : loadSigningKey(signingKey);
      const web = await startWeb({ ...settingsFor(databaseUrl), adminToken, signer });
      await serveUntilStopped(serving, new Promise(() => undefined), web.stop);
    });
}
