import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AccountSeed, type SendGridEmulator, startSendGridEmulator } from '#test/emulators/sendgrid/index.js';
import { createSendGridClient } from './client.js';
import { doctorAccount, type Needs } from './doctor.js';

let emulator: SendGridEmulator;

beforeAll(async () => {
  emulator = await startSendGridEmulator();
});
afterAll(() => emulator.close());

async function examine(seed: Partial<AccountSeed> = {}, needs?: Needs, apiKey = 'SG.marketing') {
  emulator.addAccount({ name: 'marketing', apiKey: 'SG.marketing', ...seed });
  const client = createSendGridClient({
    account: 'marketing',
    apiKey,
    baseUrl: emulator.url,
    pace: { acquire: async () => undefined, observe: async () => 0 },
    onUnauthorized: async () => undefined,
  });
  const checks = await doctorAccount(client, needs);
  await client.close();
  for (const check of checks) expect(check.ok === (check.remedy === '')).toBe(true);
  return checks;
}
const failed = (checks: Awaited<ReturnType<typeof examine>>) => checks.filter((check) => !check.ok);

describe('doctorAccount', () => {
  it('is content with a full key', async () => {
    const checks = await examine();
    expect(failed(checks)).toEqual([]);
    expect(checks.at(-1)?.detail).toContain('marketing-owner');
    expect(emulator.applied()).toEqual([]);
  });

  it('says that a key is refused, and asks nothing more of it', async () => {
    const checks = await examine({}, {}, 'SG.wrong');
    expect(checks).toHaveLength(1);
    expect(checks[0]).toMatchObject({
      name: 'accounts.marketing key',
      ok: false,
      detail: 'SendGrid refuses the key (401)',
    });
  });

  it('names the scopes that are missing', async () => {
    const keyScopes = ['teammates.read', 'user.username.read'];
    expect(failed(await examine({ keyScopes }))[0]?.detail).toBe(
      'lacks teammates.update, teammates.delete, sso.teammates.update',
    );
    expect(failed(await examine({ keyScopes }, { sso: false }))[0]?.detail).toBe(
      'lacks teammates.update, teammates.delete',
    );
  });

  it('asks the SSO endpoints where SSO is needed', async () => {
    const fault = emulator.faults.inject({ path: /^\/v3\/sso\//, fault: { kind: 'status', status: 403 } });
    expect(failed(await examine()).length).toBe(0);
    expect(failed(await examine({}, { sso: true }))).toMatchObject([{ name: 'accounts.marketing sso' }]);
    fault.remove();
  });

  it('tolerates that the own user can’t be read, and says what follows', async () => {
    const checks = await examine({ keyUsername: null });
    expect(failed(checks)).toEqual([]);
    expect(checks.at(-1)?.detail).toContain('protect');
  });
});
