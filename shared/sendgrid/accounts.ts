import type { Config } from '#shared/config/schema.js';
import type { Db } from '#shared/store/database.js';
import { createSendGridClient, type SendGridClient } from './client.js';
import { createPace } from './pace.js';

/** One client for each configured account, all paced through the database. */
export function createAccountClients(
  db: Db,
  config: Config,
  onUnauthorized: (account: string, reason: string) => Promise<void>,
): ReadonlyMap<string, SendGridClient> {
  const pace = createPace(db);
  return new Map(
    Object.entries(config.accounts).map(([account, { apiKey, baseUrl }]) => [
      account,
      createSendGridClient({ account, apiKey, baseUrl, pace, onUnauthorized }),
    ]),
  );
}
