import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdsAccess } from '#shared/lifecycle/rules/grants.js';
import type { Access, Persona } from '#shared/lifecycle/types.js';
import { createSendGridClient, type SendGridClient } from '#shared/sendgrid/client.js';
import { SendGridNotFound } from '#shared/sendgrid/errors.js';
import * as invitations from '#shared/sendgrid/invitations.js';
import * as scopes from '#shared/sendgrid/scopes.js';
import * as teammates from '#shared/sendgrid/teammates.js';
import * as user from '#shared/sendgrid/user.js';
import { type EmulatedAccount, type SendGridEmulator, startSendGridEmulator } from '#test/emulators/sendgrid/index.js';
import { type ContractProxy, contracts, startContractProxy } from './proxy.js';

if (contracts === null) console.log('contract: skipped, Twilio’s published files are not at hand (SENDOFF_CONTRACTS)');

const freely = { acquire: async () => undefined, observe: async () => 0 };

describe.skipIf(contracts === null)('Twilio’s published contract', () => {
  let emulator: SendGridEmulator;
  let account: EmulatedAccount;
  let proxy: ContractProxy;
  let client: SendGridClient;
  beforeAll(async () => {
    emulator = await startSendGridEmulator();
    account = emulator.addAccount({
      name: 'main',
      apiKey: 'SG.contract',
      rateLimit: { limit: 10_000, windowSeconds: 60 },
      subusers: [{ id: 1, username: 'brand-eu' }],
      teammates: [{ email: 'jane@acme.com' }, { email: 'kim@acme.com', is_sso: false }],
    });
    proxy = await startContractProxy(emulator.url);
    client = createSendGridClient({
      account: 'main',
      apiKey: 'SG.contract',
      baseUrl: proxy.url,
      pace: freely,
      onUnauthorized: async () => undefined,
    });
  });
  afterAll(async () => {
    await client.close();
    await proxy.close();
    await emulator.close();
  });

  const jane = teammates.username('jane@acme.com');

  it('is loaded whole', () => {
    expect(proxy.operations).toBeGreaterThanOrEqual(129);
  });

  describe('every request that the client can make, and what the emulator answers', () => {
    /** Each exported function that speaks to SendGrid, called through the proxy: a new one without a call fails below. */
    const calls: Record<string, () => Promise<unknown>> = {
      listTeammates: () => teammates.listTeammates(client),
      getTeammate: () => teammates.getTeammate(client, jane, { subusers: true }),
      setAccess: async () => {
        for (const name of ['jane@acme.com', 'u-kim']) {
          const found = await teammates.getTeammate(client, teammates.username(name), { subusers: true });
          if (found === null) throw new Error(`${name} is not there`);
          const entries = [{ id: 1, permission: 'restricted' as const, scopes: ['stats.read'] }];
          await teammates.setAccess(client, found.teammate, { admin: false, scopes: ['stats.read'], subusers: null });
          if (found.teammate.sso)
            await teammates.setAccess(client, found.teammate, { admin: false, scopes: [], subusers: entries });
          await teammates.setAccess(client, found.teammate, { admin: true, scopes: [], subusers: null });
        }
      },
      deleteTeammate: async () => {
        account.addTeammate({ email: 'leaver@acme.com' });
        expect(await teammates.deleteTeammate(client, teammates.username('leaver@acme.com'))).toBe('deleted');
        expect(await teammates.deleteTeammate(client, teammates.username('leaver@acme.com'))).toBe('absent');
      },
      createSsoTeammate: async () => {
        const forms: [string, Access, Persona | null][] = [
          ['scopes', { admin: false, scopes: ['mail.send'], subusers: null }, null],
          ['persona', { admin: false, scopes: ['mail.send'], subusers: null }, 'marketer'],
          ['admin', { admin: true, scopes: [], subusers: null }, null],
          [
            'subusers',
            { admin: false, scopes: [], subusers: [{ id: 1, permission: 'restricted', scopes: ['stats.read'] }] },
            null,
          ],
        ];
        for (const [form, access, persona] of forms) {
          const person = { email: `joiner-${form}@acme.com`, firstName: 'Joan', lastName: null };
          await teammates.createSsoTeammate(client, person, access, persona);
          const made = await teammates.getTeammate(client, teammates.username(person.email), { subusers: true });
          expect(made?.teammate.sso).toBe(true);
          if (persona === null) expect(made?.access).toSatisfy((seen: Access) => holdsAccess(seen, access));
        }
      },
      inviteTeammate: async () => {
        for (const admin of [false, true]) {
          const email = `invited-${admin}@acme.com`;
          await invitations.inviteTeammate(client, email, { admin, scopes: ['stats.read'], subusers: null });
          const [made] = [...account.invitations.entries()].filter(([, one]) => one.email === email);
          expect(made?.[1]).toMatchObject({ is_admin: admin, scopes: admin ? [] : ['stats.read'] });
          account.invitations.delete(made?.[0] ?? '');
        }
      },
      listInvitations: async () => {
        account.invite({ email: 'new@acme.com', scopes: ['stats.read'] });
        expect(await invitations.listInvitations(client)).toHaveLength(1);
      },
      deleteInvitation: async () => {
        const { token } = account.invite({ email: 'gone@acme.com' });
        expect(await invitations.deleteInvitation(client, token)).toBe('deleted');
        expect(await invitations.deleteInvitation(client, token)).toBe('absent');
      },
      ownScopes: () => scopes.ownScopes(client),
      ownUsername: async () => expect(await user.ownUsername(client)).toBe('main-owner'),
    };

    it.each(Object.entries(calls))('%s', async (_, call) => {
      await call();
    });

    it('are all of them', () => {
      const speaking = [teammates, invitations, scopes, user].flatMap((module) =>
        Object.entries(module)
          .filter(([, value]) => typeof value === 'function' && /client/.test(value.toString().slice(0, 120)))
          .map(([name]) => name),
      );
      expect(speaking.sort()).toEqual(Object.keys(calls).sort());
    });
  });

  describe('what the emulator answers when it refuses', () => {
    const ask = (method: string, path: string, body?: unknown, key = 'SG.contract') =>
      fetch(`${proxy.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
      });

    it.each<[string, string, string, unknown, number]>([
      ['an unknown teammate', 'GET', '/v3/teammates/nobody', undefined, 404],
      [
        'scopes that SendGrid manages',
        'PATCH',
        '/v3/teammates/u-kim',
        { scopes: ['2fa_required'], is_admin: false },
        400,
      ],
      [
        'a persona and scopes for SSO',
        'PATCH',
        '/v3/sso/teammates/jane%40acme.com',
        { first_name: 'J', last_name: 'D', scopes: ['x'], subuser_access: [] },
        400,
      ],
      [
        'an SSO teammate that exists',
        'POST',
        '/v3/sso/teammates',
        { email: 'jane@acme.com', first_name: 'J', last_name: 'D', is_admin: true },
        400,
      ],
      ['an invitation that is gone', 'DELETE', '/v3/teammates/pending/none', undefined, 404],
    ])('%s', async (_, method, path, body, status) => {
      const answer = await ask(method, path, body);
      // What the file does not declare passes with a warning; what it contradicts becomes a 500.
      expect(answer.status).toBe(status);
    });

    it('a request that the contract forbids never reaches the emulator', async () => {
      const before = emulator.journal.length;
      expect((await ask('PATCH', '/v3/teammates/u-kim', { is_admin: 'yes' })).status).toBeGreaterThanOrEqual(400);
      expect(emulator.journal).toHaveLength(before);
    });

    it('the client takes a 404 through the proxy for what it is', async () => {
      await expect(
        client.call({ method: 'GET', path: '/v3/teammates/{username}', params: { username: 'nobody' }, answer: null }),
      ).rejects.toBeInstanceOf(SendGridNotFound);
    });
  });
});
