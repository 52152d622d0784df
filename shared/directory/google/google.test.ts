import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GoogleSource } from '#shared/config/sources/google.js';
import { googleConfig, subject } from '#test/emulators/google/config.js';
import {
  type GoogleEmulator,
  type GoogleFault,
  googleError,
  startGoogleEmulator,
} from '#test/emulators/google/index.js';
import { listen, send } from '#test/emulators/http.js';
import { type Directory, DirectoryUnavailable } from '../directory.js';
import { createGoogleClient } from './client.js';
import { createGoogleDirectory } from './index.js';

describe('shared/directory/google', () => {
  let google: GoogleEmulator;
  let jane: string;
  beforeAll(async () => {
    google = await startGoogleEmulator();
  });
  afterAll(() => google.close());
  beforeEach(() => {
    for (const table of [google.users, google.groups]) table.clear();
    google.fault = null;
    google.pageLimit = 500;
    google.requests.length = 0;
    google.addUser({ primaryEmail: subject });
    jane = google.addUser({
      primaryEmail: 'Jane@acme.com',
      aliases: ['jdoe@acme.com'],
      manager: 'boss@acme.com',
      recoveryEmail: 'jane@home.example',
    }).id;
  });

  const directory = (more: Partial<GoogleSource> = {}): Directory => {
    const config = googleConfig(google, more);
    return createGoogleDirectory('google', config, createGoogleClient('google', config, 500));
  };
  const set = (change: object) => Object.assign(google.users.get(jane) ?? {}, change);
  const standing = async (more: Partial<GoogleSource> = {}) => {
    const answer = await directory(more).read(jane);
    return answer.kind === 'found' ? answer.person.standing : answer.kind;
  };

  it.each<[object, Partial<GoogleSource>, string]>([
    [{}, {}, 'active'],
    [{ suspended: true }, {}, 'suspended'],
    [{ suspended: true, suspensionReason: 'ABUSE' }, {}, 'suspended'],
    [{ suspended: true, suspensionReason: 'WEB_LOGIN_REQUIRED' }, { suspendedByGoogle: 'ignore' }, 'active'],
    [{ suspended: true, suspensionReason: 'ADMIN' }, { suspendedByGoogle: 'ignore' }, 'suspended'],
    [{ archived: true }, {}, 'inactive'],
    [{ archived: true, suspended: true }, {}, 'inactive'],
    [{ archived: true }, { archived: 'suspended' }, 'suspended'],
    [{ deletionTime: '2026-11-24T10:00:00.000Z' }, {}, 'inactive'],
  ])('%j with %j is %s', async (change, more, expected) => {
    set(change);
    expect(await standing(more)).toBe(expected);
  });

  it('sees a change between two reads of one directory: nothing is cached', async () => {
    const one = directory();
    expect(await one.read(jane)).toMatchObject({ person: { standing: 'active' } });
    set({ suspended: true });
    expect(await one.read(jane)).toMatchObject({ person: { standing: 'suspended' } });
  });

  it('gives the addresses that Google delivers to, primary first, without private ones, and the manager', async () => {
    expect(await directory().read(jane)).toMatchObject({
      person: {
        emails: ['Jane@acme.com', 'jdoe@acme.com', 'Jane@acme.com.test-google-a.com'],
        manager: { directoryId: null, email: 'boss@acme.com' },
        assigned: null,
      },
    });
  });

  it('gives groups by name and address, those reached through other groups too, rings included', async () => {
    const add = (name: string) => google.addGroup({ email: `${name}@acme.com`, name: name.toUpperCase() });
    const [team, writers, company] = [add('team'), add('writers'), add('company')] as const;
    team.members.add(jane);
    writers.members.add(team.id);
    company.members.add(writers.id);
    team.members.add(company.id);
    const answer = await directory().read(jane);
    expect(answer.kind === 'found' && [...answer.person.groups].sort()).toEqual(
      ['COMPANY', 'TEAM', 'WRITERS', 'company@acme.com', 'team@acme.com', 'writers@acme.com'].sort(),
    );
  });

  it('knows a group that a user made by its address alone: a name could be anybody’s', async () => {
    google.addGroup({ email: 'mine@acme.com', name: 'SendGrid Admins', adminCreated: false }).members.add(jane);
    expect(await directory().read(jane)).toMatchObject({ person: { groups: ['mine@acme.com'] } });
  });

  it('takes groups that can’t be read for no answer: fewer groups would take access away', async () => {
    google.addGroup({ email: 'team@acme.com', name: 'Team' }).members.add(jane);
    google.fault = ({ query }) =>
      query.get('userKey') === 'team@acme.com'
        ? { kind: 'answer', answer: googleError(403, 'forbidden', 'Not Authorized') }
        : null;
    await expect(directory().read(jane)).rejects.toBeInstanceOf(DirectoryUnavailable);
  });

  it('tells the groups of somebody suspended, and none of somebody deleted', async () => {
    google.addGroup({ email: 'team@acme.com', name: 'Team' }).members.add(jane);
    set({ suspended: true });
    expect(await directory().groupsLeft(jane)).toEqual(['Team', 'team@acme.com']);
    google.deleteUser(jane);
    expect(await directory().groupsLeft(jane)).toEqual([]);
  });

  it('says "not found" only when the directory knows its own administrator', async () => {
    expect(await directory().read('100000000000000000000')).toEqual({ kind: 'not-found' });
    google.fault = ({ path }) =>
      path.endsWith('/users') ? null : { kind: 'answer', answer: googleError(404, 'notFound', 'Not Found') };
    await expect(directory().read('100000000000000000000')).rejects.toBeInstanceOf(DirectoryUnavailable);
  });

  const answers = (answer: ReturnType<typeof googleError>): GoogleFault => ({ kind: 'answer', answer });
  it.each<[string, GoogleFault]>([
    ['401', answers(googleError(401, 'authError', 'Invalid Credentials'))],
    ['403', answers(googleError(403, 'forbidden', 'Not Authorized to access this resource/api'))],
    ['403 for the quota', answers(googleError(403, 'quotaExceeded', 'Quota exceeded'))],
    ['429', answers(googleError(429, 'rateLimitExceeded', 'Too Many Requests'))],
    ['500', answers(googleError(500, 'backendError', 'Backend Error'))],
    ['404 for everything', answers(googleError(404, 'notFound', 'Not Found'))],
    ['404 from something in between', answers({ status: 404, body: { message: 'no route' } })],
    ['an empty object', answers({ status: 200, body: {} })],
    ['a redirect', answers({ status: 302, headers: { location: 'http://127.0.0.1:1/' } })],
    ['silence', { kind: 'hang' }],
    ['a dropped connection', { kind: 'reset' }],
    ['garbage', { kind: 'garbage' }],
  ])('takes %s for no answer', async (_, fault) => {
    google.fault = () => fault;
    await expect(directory().read(jane)).rejects.toBeInstanceOf(DirectoryUnavailable);
    await expect(directory().findByEmail('jane@acme.com')).rejects.toBeInstanceOf(DirectoryUnavailable);
    await expect(directory().list([]).next()).rejects.toBeInstanceOf(DirectoryUnavailable);
  });

  it.each<[string, ReturnType<typeof googleError>, number]>([
    ['Retry-After', googleError(429, 'rateLimitExceeded', 'x', { 'retry-after': '77' }), 77_000],
    ['nothing', googleError(403, 'quotaExceeded', 'x'), 30_000],
    ['a day’s quota', googleError(403, 'dailyLimitExceeded', 'x'), 900_000],
  ])('waits as long as Google says with %s, and asks only once', async (_, answer, delayMs) => {
    google.fault = () => ({ kind: 'answer', answer });
    await expect(directory().read(jane)).rejects.toMatchObject({ delayMs });
    expect(google.requests.filter(({ path }) => path !== '/token')).toHaveLength(1);
  });

  it('finds the holder of an address, alias or not, in any case and standing, and nobody else', async () => {
    set({ suspended: true });
    for (const address of ['JANE@ACME.COM', 'jdoe@acme.com', 'jane@acme.com.test-google-a.com']) {
      const holders = await directory().findByEmail(address);
      expect(holders.map(({ directoryId }) => directoryId)).toEqual([jane]);
    }
    expect(await directory().findByEmail('jane@home.example')).toEqual([]);
    expect(await directory().findByEmail("o'brien@acme.com")).toEqual([]);
  });

  it('an address of another company’s domain is nobody’s: Google’s "forbidden" is about the address', async () => {
    expect(await directory().findByEmail('jane@elsewhere.example')).toEqual([]);
    google.fault = ({ path }) =>
      path.endsWith('/users') ? { kind: 'answer', answer: googleError(403, 'forbidden', 'Not Authorized') } : null;
    await expect(directory().findByEmail('jane@elsewhere.example')).rejects.toBeInstanceOf(DirectoryUnavailable);
  });

  it('finds who was deleted, the last one, unless somebody has the address again', async () => {
    set({ deletionTime: '2026-11-20T10:00:00.000Z' });
    google.pageLimit = 1;
    const second = google.addUser({ primaryEmail: 'jane@acme.com', deletionTime: '2026-11-21T10:00:00.000Z' });
    expect(await directory().findByEmail('jane@acme.com')).toMatchObject([
      { directoryId: second.id, standing: 'inactive' },
    ]);
    const third = google.addUser({ primaryEmail: 'jane@acme.com' });
    expect(await directory().findByEmail('jane@acme.com')).toMatchObject([
      { directoryId: third.id, standing: 'active' },
    ]);
  });

  async function listed(groups: string[]) {
    const people = [];
    for await (const page of directory().list(groups)) people.push(...page);
    return new Map(people.map((one) => [one.emails[0], one]));
  }

  it('lists everybody over many pages, with the wanted groups, nested ones included', async () => {
    google.pageLimit = 2;
    for (let i = 0; i < 7; i += 1) google.addUser({ primaryEmail: `p${i}@acme.com`, suspended: i === 3 });
    const inner = google.addGroup({ email: 'inner@acme.com', name: 'Inner' });
    inner.members.add(jane);
    google.addGroup({ email: 'writers@acme.com', name: 'Writers' }).members.add(inner.id);
    const people = await listed(['writers', 'inner@acme.com', 'Nobody']);
    expect(people.size).toBe(9);
    expect(people.get('p3@acme.com')).toMatchObject({ standing: 'suspended', groups: [] });
    expect(people.get('Jane@acme.com')).toMatchObject({ groups: ['writers', 'inner@acme.com'] });
  });

  it('says nothing of groups when one holds "everybody", or groups can’t be read', async () => {
    google.addGroup({ email: 'all@acme.com', name: 'All', isEverybody: true });
    expect((await listed(['All'])).get('Jane@acme.com')?.groups).toBeNull();
    google.tokens.delegated.delete('https://www.googleapis.com/auth/admin.directory.group.readonly');
    expect((await listed(['Writers'])).get('Jane@acme.com')?.groups).toBeNull();
    google.tokens.delegated.add('https://www.googleapis.com/auth/admin.directory.group.readonly');
  });

  it('asks for a token only once when none is given out', async () => {
    google.tokenFault = { status: 503, body: { error: 'temporarily_unavailable' }, headers: { 'retry-after': '9' } };
    await expect(directory().read(jane)).rejects.toMatchObject({ delayMs: 9_000 });
    google.tokenFault = null;
    expect(google.requests.map(({ path, status }) => [path, status])).toEqual([['/token', 503]]);
  });

  it('follows no redirect: the token would go along', async () => {
    const asked: string[] = [];
    const elsewhere = await listen(({ path }, response) => {
      asked.push(path);
      send(response, { status: 200, body: {} });
    });
    google.fault = () => answers({ status: 302, headers: { location: `${elsewhere.url}/users` } });
    await expect(directory().read(jane)).rejects.toBeInstanceOf(DirectoryUnavailable);
    await elsewhere.close();
    expect(asked).toEqual([]);
  });

  it('asks for a new token after Google took the old one back', async () => {
    const one = directory();
    await one.read(jane);
    google.tokens.revoke();
    await expect(one.read(jane)).rejects.toBeInstanceOf(DirectoryUnavailable);
    expect(await one.read(jane)).toMatchObject({ kind: 'found' });
  });

  it('tells the doctor that all is well', async () => {
    const checks = await directory().doctor();
    expect(checks.map(({ name, ok }) => [name, ok])).toEqual([
      ['sources.google users', true],
      ['sources.google groups', true],
      ['sources.google audit log', true],
      ['sources.google administrator', true],
    ]);
  });

  it.each([
    ['admin.directory.user.readonly', 'sources.google users'],
    ['admin.directory.group.readonly', 'sources.google groups'],
    ['admin.reports.audit.readonly', 'sources.google audit log'],
  ])('tells the doctor that the delegation lacks %s', async (scope, name) => {
    const url = `https://www.googleapis.com/auth/${scope}`;
    google.tokens.delegated.delete(url);
    const checks = await directory().doctor();
    google.tokens.delegated.add(url);
    expect(checks.find((check) => check.name === name)).toMatchObject({
      ok: false,
      remedy: expect.stringContaining(`add ${url} to the client ID`),
    });
    expect(checks.filter(({ ok }) => ok)).not.toEqual([]);
  });

  it('tells the doctor that the administrator is gone, or about to be', async () => {
    const admin = [...google.users.values()].find(({ primaryEmail }) => primaryEmail === subject);
    Object.assign(admin ?? {}, { archived: true });
    const checks = await directory().doctor();
    expect(checks.at(-1)).toMatchObject({
      ok: false,
      detail: `${subject} is archived: Google will soon answer nothing`,
    });
    Object.assign(admin ?? {}, { suspended: true });
    for (const check of await directory().doctor()) {
      expect(check).toMatchObject({ ok: false, remedy: expect.stringContaining(`${subject} is an active user`) });
    }
  });

  it('tells the doctor of a wrong key, and no secret', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    for (const wrong of [pem, '-----BEGIN PRIVATE KEY-----\nc2VjcmV0LWtleS1tYXRlcmlhbA==\n-----END PRIVATE KEY-----']) {
      const checks = await directory({ privateKey: wrong }).doctor();
      expect(checks.every(({ ok, remedy }) => !ok && remedy !== '')).toBe(true);
      expect(JSON.stringify(checks)).not.toMatch(/PRIVATE KEY|c2VjcmV0|assertion/);
    }
  });
});
