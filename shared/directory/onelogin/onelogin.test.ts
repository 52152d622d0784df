import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OneLoginSource } from '#shared/config/sources/onelogin.js';
import {
  credentials,
  type OneLoginEmulator,
  type OneLoginFault,
  startOneLoginEmulator,
} from '#test/emulators/onelogin/index.js';
import { type Directory, DirectoryUnavailable, type ListedPerson } from '../directory.js';
import { createOneLoginClient } from './client.js';
import { createOneLoginDirectory } from './index.js';

describe('shared/directory/onelogin', () => {
  let onelogin: OneLoginEmulator;
  beforeAll(async () => {
    onelogin = await startOneLoginEmulator();
  });
  afterAll(() => onelogin.close());
  beforeEach(() => {
    for (const one of [onelogin.users, onelogin.roles, onelogin.groups, onelogin.apps, onelogin.hiddenApps])
      one.clear();
    onelogin.requests.length = 0;
    Object.assign(onelogin, { fault: null, refusesTokens: false, rolesInUser: true });
    onelogin.revokeToken();
    onelogin.roles.set(501, 'Writers').set(502, 'Readers');
    onelogin.groups.set(61, 'Marketing');
    onelogin.addUser({
      id: 7,
      email: 'Jane@acme.com',
      username: 'jdoe@acme.com',
      manager_user_id: 9,
      group_id: 61,
      roles: new Set([501]),
    });
  });

  const directory = (more: Partial<OneLoginSource> = {}): Directory => {
    const config = {
      type: 'onelogin' as const,
      baseUrl: onelogin.url,
      ...credentials,
      hookSecret: ['x'],
      groupsFrom: 'roles' as const,
      poll: null,
      ...more,
    };
    return createOneLoginDirectory('onelogin', config, createOneLoginClient('onelogin', config, 500));
  };
  const person = async (one = directory()) => {
    const answer = await one.read('7');
    if (answer.kind !== 'found') throw new Error(answer.kind);
    return answer.person;
  };
  const listed = async (one: Directory, groups: string[] = []) => {
    const people: ListedPerson[] = [];
    for await (const page of one.list(groups)) people.push(...page);
    return people;
  };

  it.each<[number, number, string]>([
    [1, 1, 'active'],
    [3, 1, 'active'],
    [4, 1, 'active'],
    [5, 1, 'active'],
    [7, 1, 'active'],
    [8, 1, 'active'],
    [1, 0, 'active'],
    [2, 1, 'suspended'],
    [0, 1, 'suspended'],
    [1, 2, 'inactive'],
    [1, 3, 'inactive'],
    [2, 3, 'inactive'],
  ])('status %i, state %i is %s', async (status, state, standing) => {
    onelogin.addUser({ id: 7, email: 'jane@acme.com', status, state });
    expect((await person()).standing).toBe(standing);
  });

  it('who was never activated is a newcomer', async () => {
    onelogin.addUser({ id: 7, email: 'jane@acme.com', status: 0, activated_at: null });
    expect((await person()).standing).toBe('active');
  });

  it('a status that nobody documented is no answer', async () => {
    onelogin.addUser({ id: 7, email: 'jane@acme.com', status: 99 });
    await expect(directory().read('7')).rejects.toBeInstanceOf(DirectoryUnavailable);
  });

  it('gives every address once, primary first, the manager, and the roles by name', async () => {
    expect(await person()).toMatchObject({
      directoryId: '7',
      emails: ['Jane@acme.com', 'jdoe@acme.com'],
      manager: { directoryId: '9', email: null },
      groups: ['Writers'],
      assigned: null,
    });
    onelogin.addUser({ id: 7, email: 'jane@acme.com', username: 'JANE@acme.com', manager_user_id: null });
    expect(await person()).toMatchObject({ emails: ['JANE@acme.com'], manager: null, groups: [] });
  });

  it('finds the roles whether a user says them or must be asked', async () => {
    onelogin.rolesInUser = false;
    expect((await person()).groups).toEqual(['Writers']);
  });

  it.each<[OneLoginSource['groupsFrom'], string[]]>([
    ['roles', ['Writers']],
    ['group', ['Marketing']],
    ['both', ['Writers', 'Marketing']],
  ])('takes groups from: %s', async (groupsFrom, groups) => {
    expect((await person(directory({ groupsFrom }))).groups).toEqual(groups);
    const [jane] = await listed(directory({ groupsFrom }), ['Writers', 'Marketing']);
    expect(jane?.groups).toEqual(groups);
  });

  it('a role that is not listed is no answer, rather than no role', async () => {
    onelogin.roles.delete(501);
    await expect(directory().read('7')).rejects.toBeInstanceOf(DirectoryUnavailable);
  });

  it('says where a suspended person was', async () => {
    onelogin.addUser({ id: 7, email: 'jane@acme.com', status: 2, roles: new Set([501, 502]) });
    expect((await person()).groups).toEqual([]);
    expect(await directory().groupsLeft('7')).toEqual(['Writers', 'Readers']);
  });

  it('says "not found" only when the directory knows others', async () => {
    expect(await directory().read('8')).toEqual({ kind: 'not-found' });
    onelogin.users.clear();
    await expect(directory().read('8')).rejects.toBeInstanceOf(DirectoryUnavailable);
  });

  it.each<[string, OneLoginFault]>([
    ['401', { kind: 'status', status: 401, body: { statusCode: 401 } }],
    ['403', { kind: 'status', status: 403, body: { statusCode: 403 } }],
    ['429', { kind: 'throttled', seconds: 30 }],
    ['500 for ever, its credentials’ owner deleted', { kind: 'owner-deleted' }],
    ['503', { kind: 'status', status: 503 }],
    ['404 for everything', { kind: 'status', status: 404, body: { statusCode: 404 } }],
    ['404 from something in between', { kind: 'status', status: 404, body: { message: 'no route' } }],
    ['a redirect', { kind: 'status', status: 302, headers: { location: '/elsewhere' } }],
    ['an empty answer', { kind: 'status', status: 200, body: null }],
    ['silence', { kind: 'hang' }],
    ['a dropped connection', { kind: 'reset' }],
    ['garbage', { kind: 'garbage' }],
  ])('takes %s for no answer', async (_, fault) => {
    const [fresh, withToken] = [directory(), directory()];
    await withToken.read('7');
    onelogin.fault = fault;
    for (const one of [fresh, withToken]) {
      await expect(one.read('7')).rejects.toBeInstanceOf(DirectoryUnavailable);
      await expect(one.findByEmail('jane@acme.com')).rejects.toBeInstanceOf(DirectoryUnavailable);
      await expect(listed(one)).rejects.toBeInstanceOf(DirectoryUnavailable);
    }
  });

  it.each<[string, number, unknown]>([
    ['nothing', 200, null],
    ['another person', 200, { id: 1, status: 1, state: 1 }],
    ['a 404 that is not OneLogin’s own', 404, { error: 'no route to host' }],
    ['a 404 without a word', 404, undefined],
    ['a 410', 410, { statusCode: 410 }],
  ])('takes %s where the person should be for no answer, while all else answers', async (_, status, body) => {
    onelogin.fault = { kind: 'status', status, body, path: '/api/2/users/7' };
    await expect(directory().read('7')).rejects.toBeInstanceOf(DirectoryUnavailable);
  });

  it.each<[string, OneLoginFault, number]>([
    ['until the hour’s budget is renewed', { kind: 'throttled', seconds: 90 }, 90_000],
    ['as Retry-After says', { kind: 'status', status: 429, headers: { 'retry-after': '7' } }, 7_000],
    ['a minute when nothing is said', { kind: 'status', status: 429 }, 60_000],
    [
      'when a refusal comes with nothing left',
      { kind: 'status', status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '8' } },
      8_000,
    ],
  ])('waits %s', async (_, fault, delayMs) => {
    onelogin.fault = fault;
    await expect(directory().read('7')).rejects.toMatchObject({ delayMs });
  });

  describe('tokens', () => {
    const tokens = () => onelogin.requests.filter(({ path }) => path === '/auth/oauth2/v2/token').length;
    beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-24T10:00:00Z') }));
    afterEach(() => void vi.useRealTimers());

    it('one serves many calls, until shortly before its end', async () => {
      const one = directory();
      await Promise.all([one.read('7'), one.findByEmail('jane@acme.com')]);
      vi.setSystemTime(new Date('2026-11-24T19:58:59Z'));
      await one.read('7');
      expect(tokens()).toBe(1);
      vi.setSystemTime(new Date('2026-11-24T19:59:01Z'));
      await one.read('7');
      expect(tokens()).toBe(2);
    });

    it('one that was handed out before ends when it says, not ten hours from now', async () => {
      await directory().read('7');
      vi.setSystemTime(new Date('2026-11-24T19:00:00Z'));
      const later = directory();
      await later.read('7');
      vi.setSystemTime(new Date('2026-11-24T20:30:00Z'));
      onelogin.requests.length = 0;
      await later.read('7');
      expect(tokens()).toBe(1);
      expect(onelogin.requests.map(({ status }) => status)).not.toContain(401);
    });

    it('one that is refused is asked for anew, once', async () => {
      const one = directory();
      await one.read('7');
      onelogin.revokeToken();
      expect(await one.read('7')).toMatchObject({ kind: 'found' });
      expect(tokens()).toBe(2);
      onelogin.requests.length = 0;
      onelogin.refusesTokens = true;
      await expect(one.read('7')).rejects.toBeInstanceOf(DirectoryUnavailable);
      expect(onelogin.requests.map(({ path }) => path)).toEqual([
        '/api/2/users/7',
        '/auth/oauth2/v2/token',
        '/api/2/users/7',
      ]);
    });
  });

  it('finds holders of an address in any standing and case, by mail and by login, and nobody else', async () => {
    onelogin.addUser({ id: 8, email: 'other@acme.com', username: 'jane@acme.com', status: 2 });
    onelogin.addUser({ id: 9, email: 'jane@acme.co' });
    const holders = await directory().findByEmail('JANE@ACME.COM');
    expect(holders.map((holder) => holder.directoryId).sort()).toEqual(['7', '8']);
    expect(await directory().findByEmail('nobody@acme.com')).toEqual([]);
  });

  it.each(['*@acme.com', '!jane@acme.com'])(
    'does not search for %s, which means something else there',
    async (email) => {
      await expect(directory().findByEmail(email)).rejects.toBeInstanceOf(DirectoryUnavailable);
    },
  );

  it('reads the app’s assignment, hidden apps too, and takes an app that is not there for no answer', async () => {
    const app = '88';
    await expect(directory({ app }).read('7')).rejects.toBeInstanceOf(DirectoryUnavailable);
    onelogin.apps.add(88);
    onelogin.hiddenApps.add(88);
    expect((await person(directory({ app }))).assigned).toBe(false);
    onelogin.users.get(7)?.apps.add(88);
    expect((await person(directory({ app }))).assigned).toBe(true);
    const [jane] = await listed(directory({ app }));
    expect(jane?.assigned).toBe(true);
  });

  it('lists everybody over many pages, with roles over many pages', async () => {
    for (let id = 100; id < 320; id += 1) onelogin.addUser({ id, email: `p${id}@acme.com`, roles: new Set([502]) });
    for (let id = 600; id < 720; id += 1) onelogin.roles.set(id, `role ${id}`);
    onelogin.roles.delete(502);
    onelogin.roles.set(502, 'Readers');
    const people = await listed(directory(), ['readers']);
    expect(people).toHaveLength(221);
    expect(people.filter(({ groups }) => groups?.includes('readers'))).toHaveLength(220);
  });

  it('a list whose pages end too early is none', async () => {
    const headers = { 'current-page': '1', 'total-pages': '3' };
    await directory().read('7');
    const one = directory();
    await one.read('7');
    onelogin.fault = { kind: 'status', status: 200, body: [{ id: 7, status: 1 }], headers };
    await expect(listed(one)).rejects.toBeInstanceOf(DirectoryUnavailable);
  });

  it('a list that leads in a circle ends', async () => {
    const one = directory();
    await one.read('7');
    onelogin.fault = { kind: 'status', status: 200, body: [{ id: 7, status: 1 }], headers: { 'after-cursor': 'same' } };
    await expect(listed(one)).rejects.toBeInstanceOf(DirectoryUnavailable);
  });

  it('tells the doctor what is wrong and what to do, without a secret, and never throws', async () => {
    expect((await directory({ groupsFrom: 'both' }).doctor()).filter(({ ok }) => !ok)).toEqual([]);
    const checks = await directory({ clientSecret: 'wrong-secret', app: '88' }).doctor();
    expect(checks.every((check) => !check.ok && check.remedy !== '')).toBe(true);
    expect(JSON.stringify(checks)).not.toMatch(/wrong-secret|onelogin-client/);
    expect(checks.map(({ remedy }) => remedy).join()).toMatch(/"Read Users".*"Read All"/);
    onelogin.fault = { kind: 'owner-deleted' };
    for (const { remedy } of await directory().doctor()) expect(remedy).toContain('as a service user');
  });
});
