import type { Command } from 'commander';
import { startPull } from '#producers/pull.js';
import { loadSigningKey } from '#shared/audit/signing-key.js';
import { SendoffError } from '#shared/errors.js';
import { startWork } from '#workers/main.js';
import { requiredDatabaseUrl } from './database.js';
import { prepareServing, serveUntilStopped } from './serve.js';
import { commonOptions } from './session.js';

export function addWorker(program: Command): void {
  program
    .command('worker')
    .description(
      'the worker role: plans, changes SendGrid, keeps the audit trail (needs DATABASE_URL and SENDOFF_SIGNING_KEY)',
    )
    .action(async (_options: unknown, command: Command) => {
      const serving = await prepareServing(commonOptions(command), 'worker');
      const { environment, settingsFor } = serving;
      const databaseUrl = requiredDatabaseUrl(environment, 'worker');
      const settings = settingsFor(databaseUrl);
      const work = await startWork({ ...settings, signer: requiredSigner(environment.signingKey) });
      const pull = startPull(settings);
      await serveUntilStopped(
        serving,
        work.ready.then(() => new Promise(() => undefined)),
        async () => {
          await pull.stop();
          await work.stop();
        },
      );
    });
}

/** Nothing is done without evidence: no key, no effects. @throws SendoffError SIGNING_KEY_MISSING */
export function requiredSigner(key: string | null) {
  if (key !== null) return loadSigningKey(key);
  throw new SendoffError(
    'SENDOFF_SIGNING_KEY is not set: the audit trail could not be signed, so nothing may be done',
    {
      code: 'SIGNING_KEY_MISSING',
      blame: 'input',
      remedy: 'set it to an Ed25519 key: openssl genpkey -algorithm ed25519',
    },
  );
}
