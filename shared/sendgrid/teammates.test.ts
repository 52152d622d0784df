import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sameAccess } from '#shared/lifecycle/access.js';
import type { Access } from '#shared/lifecycle/types.js';
import { type EmulatedAccount, type SendGridEmulator, startSendGridEmulator } from '#test/emulators/sendgrid/index.js';
import { createSendGridClient, type SendGridClient } from './client.js';
import { deleteTeammate, getTeammate, listTeammates, setAccess, username } from './teammates.js';

let emulator: SendGridEmulator;
let account: EmulatedAccount;
let client: SendGridClient;

beforeAll(async () => {
  emulator = await startSendGridEmulator();
});
afterAll(() => emulator.close());
beforeEach(() => {
  account = emulator.addAccount({
    name: 'marketing',
    apiKey: 'SG.marketing',
    subusers: Array.from({ length: 620 }, (_, index) => ({ id: index + 1, username: `brand-${index + 1}` })),
  });
  client = createSendGridClient({
    account: 'marketing',
    apiKey: 'SG.marketing',
    baseUrl: emulator.url,
    pace: { acquire: async () => undefined, observe: async () => 0 },
    onUnauthorized: async () => undefined,
  });
  emulator.journal.length = 0;
});
afterEach(async () => {
  emulator.faults.clear();
  await client.close();
});

const fill = (count: number) => {
  for (let n = 0; n < count; n += 1) account.addTeammate({ email: `p${n}@acme.com` });
};
const listed = async () => (await listTeammates(client)).map((mate) => mate.username).sort();
const present = () => [...account.teammates.keys()].sort();

describe('listTeammates', () => {
  it.each([0, 49, 50, 51, 499, 500, 620, 1_200])(
    'sees everyone beyond the default page of 50, of %i and the owner',
    async (count) => {
      fill(count);
      expect(await listed()).toEqual(present());
      expect(emulator.journal.length).toBeLessThanOrEqual(Math.ceil((count + 1) / 500) + 1);
      expect(emulator.journal.every(({ query }) => query.startsWith('limit=500&offset='))).toBe(true);
    },
  );

  it('is not fooled by one page that lacks an item, or that is short', async () => {
    fill(700);
    for (const kind of ['drop-item', 'short-page'] as const) {
      const fault = kind === 'drop-item' ? { kind } : { kind, length: 3 };
      const injected = emulator.faults.inject({ method: 'GET', path: /^\/v3\/teammates$/, times: 1, fault });
      expect(await listed()).toEqual(present());
      expect(injected.hits).toBe(1);
    }
  });

  it('misses nobody who stays while others are deleted during the walk', async () => {
    fill(700);
    let once = true;
    emulator.on('request', () => {
      if (once) for (const gone of ['p1@acme.com', 'p2@acme.com', 'p3@acme.com']) account.teammates.delete(gone);
      once = false;
    });
    expect(await listed()).toEqual(expect.arrayContaining(present()));
  });

  it('throws rather than give a part when a later page fails', async () => {
    fill(600);
    let pages = 0;
    emulator.on('request', () => {
      pages += 1;
      if (pages === 1) emulator.faults.inject({ fault: { kind: 'status', status: 503 } });
    });
    await expect(listTeammates(client)).rejects.toMatchObject({ code: 'SENDGRID_OUTAGE' });
  });

  it('does not believe an empty list at once: an account has its owner', async () => {
    fill(3);
    emulator.faults.inject({ times: 1, fault: { kind: 'short-page', length: 0 } });
    expect(await listed()).toEqual(present());
    emulator.faults.inject({ fault: { kind: 'short-page', length: 0 } });
    expect(await listed()).toEqual([]);
  });

  it.each(['{}', '[]', 'null', '{"result":null}', '{"result":{}}', '{"result":[{"email":"x@acme.com"}]}', '<html>'])(
    '2xx with %s is no empty list',
    async (body) => {
      emulator.faults.inject({ fault: { kind: 'garbage', body } });
      await expect(listTeammates(client)).rejects.toMatchObject({ code: 'SENDGRID_GARBAGE' });
    },
  );

  it('reads `results` as well, and fields that are missing or new', async () => {
    emulator.faults.inject({
      times: 1,
      fault: { kind: 'garbage', body: '{"results":[{"username":"a","email":"A@acme.com","mfa":1}]}' },
    });
    emulator.faults.inject({ fault: { kind: 'garbage', body: '{"results":[]}' } });
    expect(await listTeammates(client)).toEqual([
      {
        username: 'a',
        email: 'A@acme.com',
        userType: 'teammate',
        admin: false,
        sso: false,
        firstName: null,
        lastName: null,
      },
    ]);
  });
});

describe('getTeammate', () => {
  it('is null for nobody', async () => {
    expect(await getTeammate(client, username('nobody@acme.com'), { subusers: true })).toBeNull();
  });

  it('leaves managed scopes out, for password teammates their own ones too', async () => {
    account.addTeammate({ email: 'sso@acme.com', scopes: ['templates.read', 'mail.send'] });
    account.addTeammate({ email: 'pw@acme.com', is_sso: false, scopes: ['templates.read', 'mail.send'] });
    for (const name of ['sso@acme.com', 'u-pw']) {
      const found = await getTeammate(client, username(name), { subusers: true });
      expect(found?.access).toEqual({
        admin: false,
        scopes: ['mail.send', 'templates.read', 'user.profile.read', 'user.profile.update'],
        subusers: null,
      });
    }
  });

  it.each([true, false])(
    'reads all of somebody’s subusers, and then no scopes of the parent (sso: %s)',
    async (is_sso) => {
      const subusers = account.subusers.map(({ id }) => ({
        id,
        permission_type: id % 2 === 0 ? ('admin' as const) : ('restricted' as const),
        scopes: id % 2 === 0 ? [] : ['stats.read', '2fa_required'],
      }));
      account.addTeammate({ email: 'x@acme.com', username: 'x', is_sso, subusers });
      const found = await getTeammate(client, username('x'), { subusers: true });
      expect(found?.access.scopes).toEqual([]);
      expect(found?.access.subusers).toHaveLength(620);
      expect(found?.access.subusers?.slice(0, 2)).toEqual([
        { id: 1, permission: 'restricted', scopes: ['stats.read'] },
        { id: 2, permission: 'admin', scopes: [] },
      ]);
    },
  );

  it('costs one call for an admin, and for anyone when subusers are not asked for', async () => {
    account.addTeammate({ email: 'admin@acme.com', is_admin: true });
    account.addTeammate({ email: 'x@acme.com' });
    expect((await getTeammate(client, username('admin@acme.com'), { subusers: true }))?.access).toEqual({
      admin: true,
      scopes: [],
      subusers: null,
    });
    await getTeammate(client, username('x@acme.com'), { subusers: false });
    expect(emulator.journal).toHaveLength(2);
  });

  it.each(['{"username":"x@acme.com","email":"x@acme.com"}', '{}', '[]'])(
    '%s is no teammate without scopes',
    async (body) => {
      emulator.faults.inject({ fault: { kind: 'garbage', body } });
      await expect(getTeammate(client, username('x@acme.com'), { subusers: true })).rejects.toMatchObject({
        code: 'SENDGRID_GARBAGE',
      });
    },
  );

  it('an answer that does not say whether somebody is confined is not "they are not"', async () => {
    account.addTeammate({ email: 'x@acme.com' });
    emulator.faults.inject({ path: /subuser_access$/, fault: { kind: 'garbage', body: '{"subuser_access":[]}' } });
    await expect(getTeammate(client, username('x@acme.com'), { subusers: true })).rejects.toMatchObject({
      code: 'SENDGRID_GARBAGE',
    });
  });

  it('a plan without subusers refuses the question about password teammates only', async () => {
    account.addTeammate({ email: 'sso@acme.com' });
    account.addTeammate({ email: 'pw@acme.com', is_sso: false });
    emulator.faults.inject({ path: /subuser_access$/, fault: { kind: 'status', status: 403 } });
    expect((await getTeammate(client, username('u-pw'), { subusers: true }))?.access.subusers).toBeNull();
    await expect(getTeammate(client, username('sso@acme.com'), { subusers: true })).rejects.toMatchObject({
      code: 'SENDGRID_FORBIDDEN',
    });
  });
});

describe('setAccess', () => {
  const forms: [string, Partial<Parameters<EmulatedAccount['addTeammate']>[0]>][] = [
    ['admin', { is_admin: true }],
    ['scopes', { scopes: ['mail.send', 'templates.read', 'stats.read'] }],
    ['subusers only', { scopes: [], subusers: [{ id: 1, permission_type: 'admin', scopes: [] }] }],
  ];
  const least: Access = { admin: false, scopes: ['user.profile.read'], subusers: null };
  const read = async (name: string) => (await getTeammate(client, username(name), { subusers: true }))?.access;

  for (const is_sso of [true, false]) {
    it.each(forms)(`brings %s to the least scopes, and to admin (sso: ${is_sso})`, async (_, seed) => {
      account.addTeammate({ email: 'x@acme.com', username: 'x@acme.com', is_sso, ...seed });
      const teammate = (await getTeammate(client, username('x@acme.com'), { subusers: true }))?.teammate;
      if (teammate === undefined) throw new Error('not there');
      await setAccess(client, teammate, least);
      const restricted = await read('x@acme.com');
      expect(restricted?.scopes).toEqual(['user.profile.read', 'user.profile.update']);
      expect(restricted).toMatchObject({ admin: false, subusers: null });
      await setAccess(client, teammate, { admin: true, scopes: [], subusers: null });
      expect(await read('x@acme.com')).toMatchObject({ admin: true });
      const written = emulator.journal.filter(({ applied }) => applied).map(({ endpoint }) => endpoint);
      const endpoint = is_sso ? 'PATCH /v3/sso/teammates/{username}' : 'PATCH /v3/teammates/{username}';
      expect(written).toEqual([endpoint, endpoint]);
    });
  }

  it('writes subuser access without `scopes`, without managed scopes, and with the names', async () => {
    account.addTeammate({ email: 'x@acme.com', is_admin: true, first_name: '' });
    const teammate = (await getTeammate(client, username('x@acme.com'), { subusers: true }))?.teammate;
    if (teammate === undefined) throw new Error('not there');
    const wanted: Access = {
      admin: false,
      scopes: [],
      subusers: [
        { id: 1, permission: 'restricted', scopes: ['stats.read', 'sender_verification_legacy'] },
        { id: 2, permission: 'admin', scopes: [] },
      ],
    };
    await setAccess(client, teammate, wanted);
    expect(emulator.journal.at(-1)?.body).toEqual({
      first_name: 'Unknown',
      last_name: 'One',
      is_admin: false,
      has_restricted_subuser_access: true,
      subuser_access: [
        { id: 1, permission_type: 'restricted', scopes: ['stats.read'] },
        { id: 2, permission_type: 'admin' },
      ],
    });
    const seen = await read('x@acme.com');
    expect(
      seen &&
        sameAccess(seen, {
          ...wanted,
          subusers: [
            { id: 1, permission: 'restricted', scopes: ['stats.read'] },
            { id: 2, permission: 'admin', scopes: [] },
          ],
        }),
    ).toBe(true);
  });

  it('refuses what no request can ask, with nothing sent', async () => {
    const teammate = {
      username: 'pw',
      email: 'pw@acme.com',
      userType: 'teammate',
      admin: false,
      sso: false,
      firstName: null,
      lastName: null,
    } as const;
    await expect(setAccess(client, teammate, { admin: false, scopes: [], subusers: [] })).rejects.toMatchObject({
      code: 'SENDGRID_UNSUPPORTED',
    });
    expect(emulator.journal).toEqual([]);
  });

  it('status 500 "invalid scopes provided" is a refusal for good', async () => {
    account.addTeammate({ email: 'x@acme.com' });
    const teammate = (await listTeammates(client)).find((mate) => mate.email === 'x@acme.com');
    if (teammate === undefined) throw new Error('not there');
    await expect(setAccess(client, teammate, { ...least, scopes: ['no.such.scope'] })).rejects.toMatchObject({
      code: 'SENDGRID_REFUSED',
      facts: { status: 500 },
    });
  });
});

describe('deleteTeammate', () => {
  it('deletes that one, and is content when nobody is there', async () => {
    account.addTeammate({ email: 'jane+mkt@acme.com' });
    account.addTeammate({ email: 'jane@acme.com' });
    expect(await deleteTeammate(client, username('jane+mkt@acme.com'))).toBe('deleted');
    expect(await deleteTeammate(client, username('jane+mkt@acme.com'))).toBe('absent');
    expect(present()).toEqual(['jane@acme.com', 'marketing-owner']);
  });

  it('is refused by the owner', async () => {
    await expect(deleteTeammate(client, username('marketing-owner'))).rejects.toMatchObject({
      code: 'SENDGRID_FORBIDDEN',
    });
  });

  it('applied but never answered is an outage that may have been applied', async () => {
    account.addTeammate({ email: 'x@acme.com' });
    emulator.faults.inject({ method: 'DELETE', fault: { kind: 'apply-then-reset' } });
    await expect(deleteTeammate(client, username('x@acme.com'))).rejects.toMatchObject({
      code: 'SENDGRID_OUTAGE',
      sent: true,
    });
    expect(account.has('x@acme.com')).toBe(false);
  });
});
