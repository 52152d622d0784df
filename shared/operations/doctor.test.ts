import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '#shared/config/schema.js';
import { saveSubscription } from '#shared/store/subscriptions.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { sourceChecks } from './doctor.js';

describe('shared/operations/doctor: sources', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const sources = {
    okta: { type: 'okta' },
    duo: { type: 'duo' },
    signals: { type: 'ssf', token: 'x' },
    byHand: { type: 'ssf' },
  } as unknown as Config['sources'];
  const checks = () => sourceChecks(database.db, sources);

  it('says for whom nothing was subscribed to that could be, and what to do', async () => {
    const hint = { ok: true, detail: expect.stringContaining('sendoff subscriptions ensure') };
    expect(await checks()).toMatchObject([
      { name: 'sources.okta subscriptions', ...hint },
      { name: 'sources.signals subscriptions', ...hint },
    ]);
  });

  it('shows what was subscribed to instead, and what is wrong with it', async () => {
    const row = { kind: 'event-hook', remoteId: 'h', resourceId: null, expiresAt: null };
    const id = await saveSubscription(database.db, 'okta', { ...row, problem: null });
    const ofOkta = async () => (await checks()).filter(({ name }) => name.startsWith('sources.okta'));
    expect(await ofOkta()).toMatchObject([{ name: 'sources.okta subscription event-hook', ok: true }]);
    await saveSubscription(database.db, 'okta', { ...row, id, problem: 'Okta has switched it off' });
    expect(await ofOkta()).toMatchObject([{ ok: false, remedy: 'sendoff subscriptions ensure' }]);
  });
});
