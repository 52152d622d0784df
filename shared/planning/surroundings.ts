import type { Config } from '#shared/config/schema.js';
import { createDirectories } from '#shared/directory/directories.js';
import type { Policy } from '#shared/lifecycle/types.js';
import { createAccountClients } from '#shared/sendgrid/accounts.js';
import type { SendGridClient } from '#shared/sendgrid/client.js';
import { readAccess, readRoster } from '#shared/sendgrid/rosters.js';
import type { Db } from '#shared/store/database.js';
import { createTwilioClient, type TwilioClient } from '#shared/twilio/client.js';
import { createInTime } from './in-time.js';
import type { Surroundings } from './situation.js';

/** Everything outside that the configuration names. */
export interface Outside {
  /** One for each configured account. */
  clients: ReadonlyMap<string, SendGridClient>;
  /** null: Twilio is no target. */
  twilio: TwilioClient | null;
  surroundings: Surroundings;
}

/** @param onUnauthorized told of an account whose key SendGrid refuses */
export function openOutside(
  db: Db,
  config: Config,
  policy: Policy,
  onUnauthorized: (account: string, reason: string) => Promise<void>,
): Outside {
  const clients = createAccountClients(db, config, onUnauthorized);
  const twilio = twilioOf(config);
  return {
    clients,
    twilio,
    surroundings: {
      db,
      directories: createDirectories(config),
      policy,
      inTime: createInTime(),
      readRoster: (account, freshness, showing) => readRoster({ db, clients, policy }, account, freshness, showing),
      readAccess: (account, username) => readAccess(clients, account, username),
      async findTwilioUser(emails) {
        for (const email of emails) {
          const user = (await twilio?.findUser(email)) ?? null;
          if (user !== null) return user;
        }
        return null;
      },
    },
  };
}

function twilioOf({ targets }: Config): TwilioClient | null {
  if (targets.twilio === undefined) return null;
  const { baseUrl, tokenUrl, clientId, clientSecret, refreshToken } = targets.twilio;
  return createTwilioClient({ baseUrl, tokenUrl, clientId, clientSecret, refreshToken: refreshToken ?? null });
}
