import { SendGridUnauthorized } from '#shared/sendgrid/errors.js';
import { ownScopes } from '#shared/sendgrid/scopes.js';
import { closeBreaker, takeProbes } from '#shared/store/accounts.js';
import type { WorkContext } from '../context.js';
import type { UpkeepTask } from './upkeep.js';

/** An account whose key SendGrid refused is asked every half minute; its work goes on by itself once it answers. */
export function probeBreakers(context: WorkContext): UpkeepTask {
  return {
    name: 'probe-breakers',
    everyMs: 5_000,
    async run() {
      for (const account of await takeProbes(context.db)) {
        const client = context.clients.get(account);
        if (client === undefined) continue;
        try {
          await ownScopes(client);
          await closeBreaker(context.db, account);
          context.log.info({ account }, 'SendGrid accepts the key again; the account’s work goes on');
          context.nudge();
        } catch (error) {
          if (!(error instanceof SendGridUnauthorized))
            context.log.warn({ account, err: error }, 'the probe of a closed account failed');
        }
      }
    },
  };
}
