import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OktaEmulator, startOktaEmulator } from '#test/emulators/okta/index.js';
import { createOktaDirectory } from './index.js';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const reads = ['okta.users.read', 'okta.groups.read', 'okta.logs.read'];
const all = [...reads, 'okta.eventHooks.manage'];
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

describe('shared/directory/okta/doctor', () => {
  let okta: OktaEmulator;
  beforeEach(async () => {
    okta = await startOktaEmulator();
    okta.addUser({ id: '00u1', email: 'jane@acme.com' });
  });
  afterEach(() => okta.close());

  const doctor = (credentials: object, poll: number | null = 60_000) =>
    createOktaDirectory('okta', { type: 'okta', orgUrl: okta.url, hookSecret: ['x'], poll, ...credentials }).doctor();
  const failed = async (checks: ReturnType<typeof doctor>) => (await checks).filter(({ ok }) => !ok);
  const token = { token: 'okta-emulator-token' };
  const serviceApp = (...granted: string[]) => {
    okta.signIn.app = { clientId: '0oaservice', publicKey, granted: new Set(granted) };
    return { clientId: '0oaservice', privateKey: pem };
  };

  it('is content with a token or an app that may do everything', async () => {
    expect(await failed(doctor(token))).toEqual([]);
    expect(await failed(doctor(serviceApp(...all)))).toEqual([]);
  });

  it.each(reads)('names the one scope that an app lacks: %s', async (scope) => {
    const checks = await failed(doctor(serviceApp(...all.filter((one) => one !== scope))));
    expect(checks).toMatchObject([{ detail: expect.stringContaining(scope), remedy: expect.stringContaining(scope) }]);
  });

  it('names the role that the token’s owner lacks', async () => {
    okta.signIn.denied.add('okta.logs.read').add('okta.logs.manage');
    expect(await failed(doctor(token))).toMatchObject([{ remedy: expect.stringContaining('Read-only Administrator') }]);
  });

  it('finds no fault with who may not manage hooks, and says what that means', async () => {
    okta.signIn.denied.add('okta.eventHooks.read').add('okta.eventHooks.manage');
    for (const credentials of [token, serviceApp(...reads)]) {
      const checks = await doctor(credentials);
      expect(checks.filter(({ ok }) => !ok)).toEqual([]);
      expect(checks.find(({ name }) => name.endsWith('event hooks'))?.detail).toMatch(
        /made and verified by hand.*Super/,
      );
    }
  });

  it('asks for no scope that nothing uses', async () => {
    await doctor(serviceApp(...all), null);
    const asked = [...okta.signIn.tokens.values()].map((scopes) => scopes.join(' ')).sort();
    expect([...new Set(asked)]).toEqual(['okta.eventHooks.manage', 'okta.groups.read', 'okta.users.read']);
    expect(okta.requests.some(({ path }) => path === '/api/v1/logs')).toBe(false);
  });
});
