import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { createSendGridClient, type SendGridClient } from '#shared/sendgrid/client.js';
import type { EmulatedAccount } from './account.js';
import { type SendGridEmulator, startSendGridEmulator } from './index.js';
import type { AccountSeed } from './seeds.js';

/** What the tests of one file work on: a fresh account for each test, and an unpaced client of it. */
export interface AccountInUse {
  emulator: SendGridEmulator;
  account: EmulatedAccount;
  client: SendGridClient;
  /** Requests that changed something, as `METHOD endpoint`. */
  changes(): string[];
  /** The body of the last such request. */
  lastBody(): unknown;
}

export function useAccount(seed: Partial<AccountSeed> = {}): AccountInUse {
  const use = {
    changes: () => use.emulator.applied().map(({ endpoint }) => endpoint),
    lastBody: () => use.emulator.applied().at(-1)?.body,
  } as AccountInUse;
  beforeAll(async () => {
    use.emulator = await startSendGridEmulator();
  });
  afterAll(() => use.emulator.close());
  beforeEach(() => {
    use.emulator.journal.length = 0;
    use.account = use.emulator.addAccount({ name: 'marketing', apiKey: 'SG.marketing', ...structuredClone(seed) });
    use.client = createSendGridClient({
      account: 'marketing',
      apiKey: 'SG.marketing',
      baseUrl: use.emulator.url,
      pace: { acquire: async () => undefined, observe: async () => 0 },
      onUnauthorized: async () => undefined,
    });
  });
  afterEach(async () => {
    use.emulator.faults.clear();
    await use.client.close();
  });
  return use;
}
