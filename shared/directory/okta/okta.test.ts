import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listen, send } from '#test/emulators/http.js';
import { type OktaEmulator, startOktaEmulator } from '#test/emulators/okta/index.js';
import { type Directory, DirectoryUnavailable } from '../directory.js';
import { createOktaClient } from './client.js';
import { createOktaDirectory } from './index.js';

describe('shared/directory/okta', () => {
  let okta: OktaEmulator;
  beforeAll(async () => {
    okta = await startOktaEmulator();
  });
  afterAll(() => okta.close());
  beforeEach(() => {
    okta.users.clear();
    okta.apps.clear();
    okta.inactiveApps.clear();
    okta.appChangedAt.clear();
    okta.fault = null;
    okta.addUser({
      id: '00u1',
      email: 'Jane@acme.com',
      login: 'jdoe@acme.com',
      secondEmail: 'jane@home.example',
      managerId: 'boss@acme.com',
    });
  });

  const directory = (more: { app?: string; token?: string } = {}): Directory => {
    const config = {
      type: 'okta' as const,
      orgUrl: okta.url,
      token: 'okta-emulator-token',
      hookSecret: ['x'],
      poll: null,
      ...more,
    };
    return createOktaDirectory('okta', config, createOktaClient('okta', config, { timeoutMs: 500 }));
  };
  const standing = async () => {
    const answer = await directory().read('00u1');
    return answer.kind === 'found' ? answer.person.standing : answer.kind;
  };

  it('sees a change between two reads of one directory: nothing is cached', async () => {
    const one = directory();
    expect(await one.read('00u1')).toMatchObject({ person: { standing: 'active' } });
    okta.setStatus('00u1', 'DEPROVISIONED');
    expect(await one.read('00u1')).toMatchObject({ person: { standing: 'inactive' } });
  });

  it.each([
    ['ACTIVE', 'active'],
    ['STAGED', 'active'],
    ['PROVISIONED', 'active'],
    ['RECOVERY', 'active'],
    ['PASSWORD_EXPIRED', 'active'],
    ['LOCKED_OUT', 'active'],
    ['SUSPENDED', 'suspended'],
    ['DEPROVISIONED', 'inactive'],
  ])('%s is %s', async (status, expected) => {
    okta.setStatus('00u1', status);
    expect(await standing()).toBe(expected);
  });

  it('gives every address once, primary first, and the manager', async () => {
    expect(await directory().read('00u1')).toMatchObject({
      person: {
        emails: ['Jane@acme.com', 'jdoe@acme.com', 'jane@home.example'],
        manager: { directoryId: null, email: 'boss@acme.com' },
      },
    });
  });

  it.each(['ACTIVE', 'SUSPENDED', 'DEPROVISIONED'])(
    'takes the linked object for the manager where the profile of somebody %s names none',
    async (status) => {
      okta.addUser({ id: '00u2', email: 'joe@acme.com', linkedManager: '00u-boss', status });
      okta.addUser({ id: '00u3', email: 'jim@acme.com', linkedManager: '00u-boss', managerId: '00u1', status });
      okta.addUser({ id: '00u4', email: 'tom@acme.com', status });
      const manager = async (id: string) => {
        const answer = await directory().read(id);
        return answer.kind === 'found' ? answer.person.manager : answer.kind;
      };
      expect(await manager('00u2')).toEqual({ directoryId: '00u-boss', email: null });
      expect(await manager('00u3')).toEqual({ directoryId: '00u1', email: null });
      expect(await manager('00u4')).toBeNull();
    },
  );

  it('says "not found" only when the directory knows others', async () => {
    expect(await directory().read('00u-none')).toEqual({ kind: 'not-found' });
  });

  it.each<[string, OktaEmulator['fault']]>([
    ['401', { kind: 'status', status: 401, body: { errorCode: 'E0000011' } }],
    ['403', { kind: 'status', status: 403, body: { errorCode: 'E0000006' } }],
    ['429', { kind: 'status', status: 429, body: { errorCode: 'E0000047' } }],
    ['500', { kind: 'status', status: 500 }],
    ['404 for everything', { kind: 'status', status: 404, body: { errorCode: 'E0000007' } }],
    ['404 from something in between', { kind: 'status', status: 404, body: { message: 'no route' } }],
    ['silence', { kind: 'hang' }],
    ['a dropped connection', { kind: 'reset' }],
    ['garbage', { kind: 'garbage' }],
  ])('takes %s for no answer', async (_, fault) => {
    okta.fault = fault;
    await expect(directory().read('00u1')).rejects.toBeInstanceOf(DirectoryUnavailable);
    await expect(directory().findByEmail('jane@acme.com')).rejects.toBeInstanceOf(DirectoryUnavailable);
  });

  it('reads the app’s assignment, and takes an app that is not there for no answer', async () => {
    await expect(directory({ app: '0oa1' }).read('00u1')).rejects.toBeInstanceOf(DirectoryUnavailable);
    okta.apps.add('0oa1');
    expect(await directory({ app: '0oa1' }).read('00u1')).toMatchObject({ person: { assigned: false } });
    okta.users.get('00u1')?.apps.add('0oa1');
    expect(await directory({ app: '0oa1' }).read('00u1')).toMatchObject({ person: { assigned: true } });
  });

  it('takes an assignment that ended with its app for no answer', async () => {
    okta.apps.add('0oa1');
    okta.users.get('00u1')?.apps.add('0oa1');
    okta.inactiveApps.add('0oa1');
    await expect(directory({ app: '0oa1' }).read('00u1')).rejects.toThrow('is deactivated');
  });

  it('waits for the assignments of an app that was changed a moment ago', async () => {
    okta.apps.add('0oa1');
    const assigned = () => directory({ app: '0oa1' }).read('00u1');
    okta.appChangedAt.set('0oa1', new Date(Date.now() - 9 * 60_000));
    await expect(assigned()).rejects.toThrow('changed a moment ago');
    okta.appChangedAt.set('0oa1', new Date(Date.now() - 11 * 60_000));
    expect(await assigned()).toMatchObject({ person: { assigned: false } });
    okta.appChangedAt.set('0oa1', new Date());
    okta.users.get('00u1')?.apps.add('0oa1');
    expect(await assigned()).toMatchObject({ person: { assigned: true } });
  });

  it('walks a list of a company with more than a hundred thousand people', async () => {
    const server = await listen(({ query }, response) => {
      const page = Number(query.get('page') ?? 0);
      const headers = page < 509 ? { link: `<${server.url}/api/v1/users?page=${page + 1}>; rel="next"` } : {};
      send(response, { status: 200, body: [{ page }], headers });
    });
    const config = { type: 'okta' as const, orgUrl: server.url, token: 't', hookSecret: ['x'], poll: null };
    let pages = 0;
    for await (const _ of createOktaClient('okta', config).pages('/api/v1/users')) pages += 1;
    await server.close();
    expect(pages).toBe(510);
  });

  it('finds holders of an address in any standing and case, and nobody else', async () => {
    okta.addUser({ id: '00u2', email: 'jane@acme.com', login: 'other', status: 'DEPROVISIONED' });
    okta.addUser({ id: '00u3', email: 'jane@acme.co' });
    const holders = await directory().findByEmail('JANE@ACME.COM');
    expect(holders.map((holder) => holder.directoryId).sort()).toEqual(['00u1', '00u2']);
    expect(await directory().findByEmail('nobody@acme.com')).toEqual([]);
  });

  it('walks lists by their links', async () => {
    for (let i = 0; i < 450; i += 1) okta.users.get('00u1')?.groups.add(`g${i}`);
    expect(await directory().read('00u1')).toMatchObject({ person: { groups: expect.arrayContaining(['g449']) } });
  });

  it('takes a list that goes on at another host for no answer, and sends the token nowhere', async () => {
    const asked: string[] = [];
    const other = await listen(({ path }, response) => {
      asked.push(path);
      send(response, { status: 200, body: [] });
    });
    const server = await listen((_, response) => {
      const link = `<${other.url}/api/v1/users/00u1/groups?after=1>; rel="next"`;
      send(response, { status: 200, body: [{ id: 'g1', profile: { name: 'g1' } }], headers: { link } });
    });
    const config = { type: 'okta' as const, orgUrl: server.url, token: 't', hookSecret: ['x'], poll: null };
    await expect(createOktaClient('okta', config).list('/api/v1/users/00u1/groups')).rejects.toBeInstanceOf(
      DirectoryUnavailable,
    );
    await server.close();
    await other.close();
    expect(asked).toEqual([]);
  });

  it('tells the doctor what is wrong, and never throws', async () => {
    const checks = await directory({ token: 'wrong-token', app: '0oa1' }).doctor();
    const needed = checks.filter(({ name }) => !name.endsWith('event hooks'));
    expect(needed.every((check) => !check.ok && check.remedy !== '')).toBe(true);
    expect(JSON.stringify(checks)).not.toContain('wrong-token');
  });
});
