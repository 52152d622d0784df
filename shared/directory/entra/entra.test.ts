import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EntraSource } from '#shared/config/sources/entra.js';
import {
  type Certificate,
  type EntraEmulator,
  type EntraFault,
  makeCertificate,
  registration,
  startEntraEmulator,
  trustEverybody,
} from '#test/emulators/entra/index.js';
import { type Directory, DirectoryUnavailable } from '../directory.js';
import { createGraphClient } from './client.js';
import { createGroups } from './groups.js';
import { createEntraDirectory } from './index.js';

const ids = {
  jane: '11111111-1111-4111-8111-111111111111',
  boss: '22222222-2222-4222-8222-222222222222',
  app: '33333333-3333-4333-8333-333333333333',
};

describe('shared/directory/entra', () => {
  let tls: Certificate;
  let login: Certificate;
  let entra: EntraEmulator;
  let distrust: () => void;
  beforeAll(() => {
    tls = makeCertificate();
    login = makeCertificate('sendoff');
    distrust = trustEverybody();
  });
  afterAll(async () => {
    distrust();
    tls.remove();
    login.remove();
    await entra.close();
  });
  beforeEach(async () => {
    await entra?.close();
    entra = await startEntraEmulator(tls, { certificate: login.cert });
    entra.addUser({ id: ids.boss, email: 'boss@acme.com' });
    entra.addUser({
      id: ids.jane,
      email: 'Jane@acme.com',
      upn: 'jdoe@acme.com',
      otherMails: ['jane@home.example'],
      proxyAddresses: ['smtp:j.doe@acme.com', 'SMTP:jane@acme.com', 'x500:/o=acme', 'SIP:jane@acme.com'],
      managerId: ids.boss,
    });
  });

  const configured = (more: Partial<EntraSource> = {}): EntraSource => ({
    type: 'entra',
    ...registration,
    clientState: ['x'],
    disabled: 'suspended',
    poll: null,
    graphUrl: entra.url,
    authorityHost: entra.url,
    ...more,
  });
  const directory = (more: Partial<EntraSource> = {}, timeout = 2_000): Directory => {
    const config = configured(more);
    return createEntraDirectory('entra', config, createGraphClient('entra', config, timeout));
  };
  const found = async (of = directory()) => {
    const answer = await of.read(ids.jane);
    return answer.kind === 'found' ? answer.person : null;
  };
  const waited = async (run: Promise<unknown>): Promise<DirectoryUnavailable> => {
    const error = await run.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DirectoryUnavailable);
    return error as DirectoryUnavailable;
  };

  it('gives every mail address once, primary first, and the manager', async () => {
    expect(await found()).toMatchObject({
      standing: 'active',
      emails: ['Jane@acme.com', 'jdoe@acme.com', 'j.doe@acme.com', 'jane@home.example'],
      manager: { directoryId: ids.boss, email: 'boss@acme.com' },
      assigned: null,
    });
  });

  it.each([
    ['suspended', 'suspended'],
    ['terminated', 'inactive'],
  ] as const)('a blocked sign-in is %s when the configuration says so', async (disabled, standing) => {
    entra.setEnabled(ids.jane, false);
    expect(await found(directory({ disabled }))).toMatchObject({ standing, groups: [] });
  });

  it('asks for accountEnabled, which Graph gives to nobody else, and takes its absence for no answer', async () => {
    expect(entra.requests).toEqual([]);
    await found();
    expect(entra.requests.find(({ path }) => path.endsWith(ids.jane))?.query).toContain('accountEnabled');
    entra.fault = { kind: 'status', status: 200, body: { id: ids.jane, mail: 'jane@acme.com' } };
    expect((await waited(directory().read(ids.jane))).message).toContain('whether the account is enabled');
  });

  it.each([false, true])(
    'finds the deleted in the recycle bin, by all their old names (bin without filters: %s)',
    async (plainBin) => {
      entra.quirks.plainBin = plainBin;
      entra.softDelete(ids.jane);
      entra.softDelete(ids.boss);
      expect(await found()).toMatchObject({
        directoryId: ids.jane,
        standing: 'inactive',
        emails: ['Jane@acme.com', 'jdoe@acme.com', 'j.doe@acme.com', 'jane@home.example'],
      });
    },
  );

  it('finds the deleted nowhere once they are purged', async () => {
    entra.softDelete(ids.jane);
    expect(await directory().groupsLeft(ids.jane)).toEqual([]);
    entra.purge(ids.jane);
    expect(await directory().read(ids.jane)).toEqual({ kind: 'not-found' });
    entra.users.clear();
    await waited(directory().read(ids.jane));
  });

  it('takes a permission that is missing for no answer, wherever it is missing', async () => {
    entra.granted.delete('User.Read.All');
    entra.softDelete(ids.jane);
    await waited(directory().read(ids.jane));
    await waited(directory().findByEmail('jane@acme.com'));
  });

  it.each<[string, EntraFault]>([
    ['401', { kind: 'status', status: 401 }],
    ['403', { kind: 'status', status: 403 }],
    ['500', { kind: 'status', status: 500 }],
    ['a redirect', { kind: 'status', status: 302, headers: { location: 'https://elsewhere.example/' } }],
    ['404 from something in between', { kind: 'status', status: 404, body: { message: 'no route' } }],
    ['silence', { kind: 'hang' }],
    ['a dropped connection', { kind: 'reset' }],
    ['garbage', { kind: 'garbage' }],
    ['somebody else', { kind: 'status', status: 200, body: { id: 'another', accountEnabled: true } }],
  ])('takes %s for no answer', async (_, fault) => {
    entra.fault = fault;
    await waited(directory({}, 300).read(ids.jane));
    await waited(directory({}, 300).findByEmail('jane@acme.com'));
  });

  it.each([429, 503])('stays away as long as a %d asks for, after one try', async (status) => {
    const one = directory();
    await one.read(ids.jane);
    entra.requests.length = 0;
    entra.fault = { kind: 'status', status, headers: { 'retry-after': '37' } };
    expect((await waited(one.read(ids.jane))).delayMs).toBe(37_000);
    expect(entra.requests.length).toBe(1);
  });

  it('names groups, nested ones too, and no roles', async () => {
    const [inner, outer] = [entra.addGroup('Inner'), entra.addGroup('Outer')];
    entra.join(inner.id, ids.jane);
    entra.join(outer.id, inner.id);
    for (let i = 0; i < 1_100; i += 1) entra.join(entra.addGroup(`g${i}`).id, ids.jane);
    const groups = (await found())?.groups;
    expect(groups).toEqual(expect.arrayContaining(['Inner', 'Outer', 'g1099']));
    expect(groups).toEqual(expect.arrayContaining([inner.id, outer.id]));
    expect(groups).not.toContain('Global Reader');
    entra.setEnabled(ids.jane, false);
    expect(await directory().groupsLeft(ids.jane)).toContain('Outer');
  });

  it.each([
    ['of the same name', 'sendgrid ADMINS', []],
    // To Graph it is another name, to grants it is not.
    ['whose name only looks the same', ' SendGrid Admins', ['SendGrid Admins']],
  ])('a second group %s gives nobody what the first gives', async (_, again, left) => {
    const [real, fake] = [entra.addGroup('SendGrid Admins'), entra.addGroup(again)];
    entra.join(real.id, ids.boss);
    entra.join(fake.id, ids.jane);
    const groupsOf = async (id: string) => {
      const answer = await directory().read(id);
      return answer.kind === 'found' ? answer.person.groups : null;
    };
    expect(await groupsOf(ids.jane)).toEqual([fake.id]);
    expect(await groupsOf(ids.boss)).toEqual([real.id, ...left]);
  });

  it('a group that is called like another’s id is not taken for that one', async () => {
    const real = entra.addGroup('SendGrid Admins');
    const fake = entra.addGroup(real.id.toUpperCase());
    entra.join(fake.id, ids.jane);
    expect((await found())?.groups).toEqual([fake.id]);
  });

  it('asks for names once in a while, and at once for a group that it does not know yet', async () => {
    let now = 0;
    const config = configured();
    const groups = createGroups({ name: 'entra', config, graph: createGraphClient('entra', config) }, () => now);
    for (let i = 0; i < 25; i += 1) entra.join(entra.addGroup(`Group ${i}`).id, ids.jane);
    const lookUps = async () => {
      entra.requests.length = 0;
      await groups.of(ids.jane);
      return entra.requests.filter(({ path }) => path === '/v1.0/groups').length;
    };
    expect(await lookUps()).toBe(3);
    expect(await lookUps()).toBe(0);
    const again = entra.addGroup('Group 7');
    expect(await lookUps()).toBe(0);
    entra.join(again.id, ids.jane);
    expect(await lookUps()).toBe(1);
    now += 5 * 60_000;
    expect(await lookUps()).toBe(3);
    expect(await groups.of(ids.jane)).toEqual(expect.arrayContaining(['Group 6', again.id]));
    expect(await groups.of(ids.jane)).not.toContain('Group 7');
  });

  it('lists members by id, and by a name that only one group has', async () => {
    const [one, other] = [entra.addGroup('Writers'), entra.addGroup('writers')];
    const single = entra.addGroup('Admins');
    for (const group of [one, other, single]) entra.join(group.id, ids.jane);
    const unknown = '99999999-9999-4999-8999-999999999999';
    const people = [];
    for await (const page of directory().list(['Writers', one.id.toUpperCase(), 'ADMINS', unknown]))
      people.push(...page);
    expect(people.find(({ directoryId }) => directoryId === ids.jane)?.groups).toEqual([
      one.id.toUpperCase(),
      'ADMINS',
    ]);
  });

  it('lists people without their assignments when an assigned group is gone: each is then asked for', async () => {
    const assigned = [{ principalId: '99999999-9999-4999-8999-999999999999', principalType: 'Group' as const }];
    entra.apps.set(ids.app, { id: ids.app, accountEnabled: true, assigned });
    const people = [];
    for await (const page of directory({ app: ids.app }).list([])) people.push(...page);
    expect(people.map((one) => one.assigned)).toEqual([null, null]);
  });

  it('takes groups without their names for no answer: the permission is missing', async () => {
    entra.join(entra.addGroup('Writers').id, ids.jane);
    entra.quirks.hideGroupNames = true;
    expect((await waited(directory().read(ids.jane))).message).toContain('GroupMember.Read.All');
  });

  it('reads the app’s assignment: by name, by a group of their own, and not through nested groups', async () => {
    const assigned = async () => (await found(directory({ app: ids.app })))?.assigned;
    await waited(assigned());
    const app = {
      id: ids.app,
      accountEnabled: true,
      assigned: [] as { principalId: string; principalType: 'User' | 'Group' }[],
    };
    entra.apps.set(ids.app, app);
    expect(await assigned()).toBe(false);
    const [inner, outer] = [entra.addGroup('Inner'), entra.addGroup('Outer')];
    entra.join(inner.id, ids.jane);
    entra.join(outer.id, inner.id);
    app.assigned.push({ principalId: outer.id, principalType: 'Group' });
    expect(await assigned()).toBe(false);
    app.assigned.push({ principalId: inner.id, principalType: 'Group' });
    expect(await assigned()).toBe(true);
    app.assigned.splice(0, 2, { principalId: ids.jane, principalType: 'User' });
    expect(await assigned()).toBe(true);
    app.assigned.length = 0;
    app.accountEnabled = false;
    await waited(assigned());
  });

  it.each(['JANE@ACME.COM', 'jdoe@acme.com', 'j.doe@acme.com', 'jane@home.example'])(
    'finds the holder of %s',
    async (email) => {
      entra.addUser({ email: 'mary-jane@acme.com' });
      expect((await directory().findByEmail(email)).map((one) => one.directoryId)).toEqual([ids.jane]);
    },
  );

  it.each([false, true])(
    'finds a deleted holder while nobody else has the address (bin without filters: %s)',
    async (plainBin) => {
      entra.quirks.plainBin = plainBin;
      entra.softDelete(ids.jane);
      const holders = () => directory().findByEmail('jdoe@acme.com');
      expect(await holders()).toMatchObject([{ directoryId: ids.jane, standing: 'inactive' }]);
      const { id } = entra.addUser({ email: 'jdoe@acme.com' });
      expect(await holders()).toMatchObject([{ directoryId: id, standing: 'active' }]);
      expect(await directory().findByEmail("o'hara@acme.com")).toEqual([]);
    },
  );

  it('lists everybody, with groups and assignments', async () => {
    for (let i = 0; i < 1_200; i += 1) entra.addUser({ email: `p${i}@acme.com` });
    const [inner, outer] = [entra.addGroup('Inner'), entra.addGroup('Outer')];
    entra.join(inner.id, ids.jane);
    entra.join(outer.id, inner.id);
    entra.apps.set(ids.app, {
      id: ids.app,
      accountEnabled: true,
      assigned: [{ principalId: inner.id, principalType: 'Group' }],
    });
    const people = [];
    for await (const page of directory({ app: ids.app }).list(['Outer', 'Nobody'])) people.push(...page);
    expect(people.length).toBe(1_202);
    expect(people.find(({ directoryId }) => directoryId === ids.jane)).toMatchObject({
      assigned: true,
      groups: ['Outer'],
    });
    expect(people.find(({ directoryId }) => directoryId === ids.boss)).toMatchObject({ assigned: false, groups: [] });
  });

  it('goes nowhere else than to Graph itself, and gives no half list', async () => {
    const body = { value: [], '@odata.nextLink': 'https://elsewhere.example/v1.0/users' };
    entra.fault = { kind: 'status', status: 200, body };
    const walk = async () => {
      for await (const _ of directory().list([])) {
      }
    };
    expect((await waited(walk())).message).toContain('another host');
  });

  it('signs in with a certificate, and with none that is not uploaded', async () => {
    const { clientSecret: _, ...rest } = configured();
    const withKey = (privateKey: string, certificate: string) => {
      const config: EntraSource = { ...rest, privateKey, certificate };
      return createEntraDirectory('entra', config, createGraphClient('entra', config, 5_000));
    };
    expect(await withKey(login.key, login.cert).read(ids.jane)).toMatchObject({ kind: 'found' });
    expect((await waited(withKey(tls.key, tls.cert).read(ids.jane))).message).toContain('AADSTS700027');
  });

  it('asks for a new token once the old one is refused', async () => {
    const one = directory();
    await one.read(ids.jane);
    await one.read(ids.jane);
    expect(entra.authority.issued).toBe(1);
    entra.authority.revokeAll();
    await waited(one.read(ids.jane));
    expect(await one.read(ids.jane)).toMatchObject({ kind: 'found' });
  });

  it('sends no token over plain http', async () => {
    const graph = createGraphClient('entra', { ...configured(), graphUrl: entra.plainUrl });
    await waited(graph.get('/users'));
    const asked = entra.requests.filter(({ path }) => path === '/v1.0/users');
    expect(asked).toMatchObject([{ status: 401, authorized: false }]);
  });

  it('tells the doctor which names in grants several groups have', async () => {
    const [one, other] = [entra.addGroup('Writers'), entra.addGroup('writers')];
    entra.addGroup('Admins');
    const wrong = (await directory().doctor(['Writers', 'Admins', 'Nobody', one.id])).filter(({ ok }) => !ok);
    expect(wrong).toMatchObject([{ name: 'sources.entra group Writers', detail: expect.stringContaining('2 groups') }]);
    for (const { id } of [one, other]) expect(wrong[0]?.remedy).toContain(id);
  });

  it('tells the doctor which permission is missing, and never throws', async () => {
    entra.apps.set(ids.app, { id: ids.app, accountEnabled: true, assigned: [] });
    const doctor = () => directory({ app: ids.app }).doctor();
    expect((await doctor()).map(({ ok }) => ok)).toEqual([true, true, true, true]);
    entra.granted.clear();
    const remedies = (await doctor()).map(({ remedy }) => /permission ([A-Za-z.]+)/.exec(remedy)?.[1]);
    expect(remedies).toEqual(['User.Read.All', 'User.Read.All', 'Group.Read.All', 'Application.Read.All']);
    const checks = await directory({ clientSecret: 'a-wrong-secret' }).doctor();
    expect(checks.every(({ ok, remedy }) => !ok && remedy.includes('clientSecret'))).toBe(true);
    expect(JSON.stringify(checks)).not.toContain('a-wrong-secret');
  });
});
