import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DuoSource } from '#shared/config/sources/duo.js';
import { type DuoEmulator, type EmulatedDuoUser, startDuoEmulator } from '#test/emulators/duo/index.js';
import { type Directory, DirectoryUnavailable, type ListedPerson } from '../directory.js';
import { createDuoClient } from './client.js';
import { createDuoDirectory } from './index.js';

describe('shared/directory/duo', () => {
  let duo: DuoEmulator;
  let jane: EmulatedDuoUser;
  beforeAll(async () => {
    duo = await startDuoEmulator();
  });
  afterAll(() => duo.close());
  beforeEach(() => {
    duo.users.clear();
    duo.disabledGroups.clear();
    duo.requests.length = 0;
    Object.assign(duo, { fault: null, clockMs: 0, activityRefused: null, rights: { resource: true, log: true } });
    jane = duo.addUser({
      username: 'jdoe@acme.com',
      email: 'Jane@acme.com',
      aliases: ['jane', 'jane@old.example'],
      firstname: 'Jane',
      groups: ['Writers', 'Readers'],
    });
  });

  const directory = (more: Partial<DuoSource> = {}): Directory => {
    const config: DuoSource = {
      type: 'duo',
      apiHost: duo.host,
      baseUrl: duo.url,
      integrationKey: duo.integrationKey,
      secretKey: duo.secretKey,
      disabled: 'suspended',
      poll: 120_000,
      ...more,
    };
    return createDuoDirectory('duo', config, createDuoClient('duo', config, 500));
  };
  const standing = async (more: Partial<DuoSource> = {}) => {
    const answer = await directory(more).read(jane.user_id);
    return answer.kind === 'found' ? answer.person.standing : answer.kind;
  };
  const listed = async (groups: string[] = []): Promise<ListedPerson[]> => {
    const people: ListedPerson[] = [];
    for await (const page of directory().list(groups)) people.push(...page);
    return people;
  };

  it.each([
    ['active', 'active'],
    ['bypass', 'active'],
    ['locked out', 'active'],
    ['disabled', 'suspended'],
    ['pending deletion', 'inactive'],
    ['Pending Deletion', 'inactive'],
  ])('%s is %s', async (status, expected) => {
    jane.status = status;
    expect(await standing()).toBe(expected);
    expect(await listed()).toMatchObject([{ standing: expected }]);
  });

  it('takes the disabled for gone where the configuration says so', async () => {
    jane.status = 'disabled';
    expect(await standing({ disabled: 'terminated' })).toBe('inactive');
  });

  it('draws no conclusion from a status it does not know, and lets that hold up nobody else', async () => {
    duo.addUser({ username: 'ben' });
    jane.status = 'quarantined by a new product';
    await expect(standing()).rejects.toBeInstanceOf(DirectoryUnavailable);
    expect(await listed()).toHaveLength(1);
  });

  it('gives every address once, names and groups, and neither manager nor app', async () => {
    expect(await directory().read(jane.user_id)).toEqual({
      kind: 'found',
      person: {
        directoryId: jane.user_id,
        standing: 'active',
        emails: ['Jane@acme.com', 'jdoe@acme.com', 'jane@old.example'],
        firstName: 'Jane',
        lastName: 'One',
        manager: null,
        groups: ['Writers', 'Readers'],
        assigned: null,
      },
    });
  });

  it('who is not active has no groups, but had them', async () => {
    jane.status = 'disabled';
    expect(await directory().read(jane.user_id)).toMatchObject({ person: { groups: [] } });
    expect(await directory().groupsLeft(jane.user_id)).toEqual(['Writers', 'Readers']);
  });

  it('a group’s being disabled takes it from nobody: it is about many at once', async () => {
    duo.disabledGroups.add('Writers');
    expect(await directory().read(jane.user_id)).toMatchObject({
      person: { standing: 'active', groups: ['Writers', 'Readers'] },
    });
  });

  it('says "not found" only when the directory knows others', async () => {
    duo.addUser({ username: 'ben' });
    duo.remove(jane.user_id);
    expect(await standing()).toBe('not-found');
    duo.users.clear();
    await expect(standing()).rejects.toThrow('knows nobody');
  });

  it('another person than was asked for is no answer', async () => {
    duo.fault = ok({ user_id: 'DU2', status: 'pending deletion' }, {});
    await expect(standing()).rejects.toThrow('another person');
  });

  it('a lost right between look-up and control is no answer', async () => {
    duo.remove(jane.user_id);
    duo.rights.resource = false;
    await expect(standing()).rejects.toThrow('Grant resource - Read');
  });

  it.each(['', '..', 'DU1/phones', 'a?b'])('asks nothing about what can be no id: %j', async (id) => {
    await expect(directory().read(id)).rejects.toBeInstanceOf(DirectoryUnavailable);
    expect(duo.requests).toEqual([]);
  });

  it.each<[string, DuoEmulator['fault']]>([
    ['401', { kind: 'status', status: 401 }],
    ['403', { kind: 'status', status: 403 }],
    ['429', { kind: 'status', status: 429 }],
    ['500', { kind: 'status', status: 500 }],
    ['404 for everything', { kind: 'status', status: 404 }],
    ['404 from something in between', { kind: 'status', status: 404, body: '<html>' }],
    ['silence', { kind: 'hang' }],
    ['a dropped connection', { kind: 'reset' }],
    ['garbage', { kind: 'garbage' }],
    ['another form', { kind: 'status', status: 200, body: { stat: 'OK', response: { users: [] } } }],
  ])('takes %s for no answer', async (_, fault) => {
    duo.fault = fault;
    await expect(directory().read(jane.user_id)).rejects.toBeInstanceOf(DirectoryUnavailable);
    await expect(directory().findByEmail('jane@acme.com')).rejects.toBeInstanceOf(DirectoryUnavailable);
    await expect(listed()).rejects.toBeInstanceOf(DirectoryUnavailable);
  });

  it.each(['JANE@ACME.COM', 'jdoe@acme.com', 'jane@old.example'])('finds who holds %s', async (address) => {
    duo.addUser({ username: 'jane@acme.co' });
    const holders = await directory().findByEmail(address);
    expect(holders.map((holder) => holder.directoryId)).toEqual([jane.user_id]);
  });

  it('finds several holders of one address, in any standing, and nobody for another', async () => {
    const ben = duo.addUser({ username: 'ben', email: 'jane@acme.com', status: 'pending deletion' });
    const holders = await directory().findByEmail('jane@acme.com');
    expect(holders.map((holder) => holder.directoryId).sort()).toEqual([jane.user_id, ben.user_id].sort());
    expect(await directory().findByEmail('nobody@acme.com')).toEqual([]);
  });

  it('lists everybody by pages, with those of the wanted groups they are in', async () => {
    for (let i = 0; i < 700; i += 1) duo.addUser({ username: `u${i}`, groups: i === 699 ? ['readers'] : [] });
    const people = await listed(['Readers', 'Admins']);
    expect(people).toHaveLength(701);
    expect(people[0]).toMatchObject({ directoryId: jane.user_id, groups: ['Readers'] });
    expect(people[700]).toMatchObject({ groups: ['Readers'] });
    expect(duo.requests.map(({ query }) => query.offset)).toEqual(['0', '300', '600']);
  });

  it('half a list is none', async () => {
    for (let i = 0; i < 400; i += 1) duo.addUser({ username: `u${i}` });
    let asked = 0;
    duo.fault = () => (++asked === 2 ? { kind: 'status', status: 500 } : null);
    await expect(listed()).rejects.toBeInstanceOf(DirectoryUnavailable);
    const one = { user_id: 'DU1', status: 'active' };
    duo.fault = ok([one], { total_objects: 2 });
    await expect(listed()).rejects.toThrow('1 of 2');
    duo.fault = ok([one], { next_offset: 0, total_objects: 1 });
    duo.requests.length = 0;
    await expect(listed()).rejects.toThrow('does not end');
    expect(duo.requests).toHaveLength(1);
  });

  describe('doctor', () => {
    const failing = async (more: Partial<DuoSource> = {}) =>
      (await directory(more).doctor()).filter((check) => !check.ok).map(({ name, remedy }) => `${name}: ${remedy}`);

    it('finds nothing wrong when nothing is', async () => {
      const checks = await directory().doctor();
      expect(checks.map(({ name, ok, remedy }) => [name, ok, remedy])).toEqual([
        ['sources.duo users', true, ''],
        ['sources.duo activity log', true, ''],
        ['sources.duo clock', true, ''],
      ]);
    });

    it('names exactly the right that is missing', async () => {
      duo.rights = { resource: false, log: true };
      expect(await failing()).toEqual([expect.stringMatching(/^sources\.duo users: .*“Grant resource - Read”/)]);
      duo.rights = { resource: true, log: false };
      expect(await failing()).toEqual([expect.stringMatching(/^sources\.duo activity log: .*“Grant read log”/)]);
      expect(await failing({ poll: null })).toEqual([]);
    });

    it('says that the older log is read where the newer one is refused', async () => {
      duo.activityRefused = 404;
      expect(await failing()).toEqual([]);
      expect(JSON.stringify(await directory().doctor())).toContain('older administrator log');
    });

    it('names a wrong clock, whether Duo still puts up with it or not', async () => {
      duo.clockMs = 2 * 60_000;
      expect(await failing()).toEqual([expect.stringMatching(/^sources\.duo clock: .*NTP/)]);
      duo.clockMs = 20 * 60_000;
      expect(await failing()).toHaveLength(3);
      expect(JSON.stringify(await directory().doctor())).toMatch(/1[12]\d\d s behind Duo’s/);
    });

    it('tells what is wrong with the keys, and never throws or shows them', async () => {
      const checks = await directory({ secretKey: 'a-wrong-secret-key' }).doctor();
      expect(checks.filter(({ ok }) => !ok).map(({ remedy }) => remedy)).toEqual([
        expect.stringContaining('secretKey'),
        expect.stringContaining('secretKey'),
      ]);
      expect(JSON.stringify(checks)).not.toContain('a-wrong-secret-key');
    });
  });
});

function ok(response: unknown, metadata: unknown): DuoEmulator['fault'] {
  return { kind: 'status', status: 200, body: { stat: 'OK', response, metadata } };
}
