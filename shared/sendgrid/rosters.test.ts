import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Policy, Roster } from '#shared/lifecycle/types.js';
import { closeBreaker, openBreaker } from '#shared/store/accounts.js';
import { type Database, openDatabase } from '#shared/store/database.js';
import { type EmulatedAccount, type SendGridEmulator, startSendGridEmulator } from '#test/emulators/sendgrid/index.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { silent } from '#test/support/silent.js';
import { account as accountPolicy, policy as policyWith } from '#test/support/situation.js';
import { createSendGridClient, type SendGridClient } from './client.js';
import { readRoster } from './rosters.js';

const long = new Date(0);
let database: TestDatabase;
let second: Database;
let emulator: SendGridEmulator;
let account: EmulatedAccount;
let clients: Map<string, SendGridClient>;
let name = '';
let count = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  second = openDatabase({
    url: database.url,
    max: 4,
    statementTimeoutMs: 5_000,
    applicationName: 'second',
    tls: 'off',
    log: silent,
  });
  emulator = await startSendGridEmulator({ latencyMs: 5 });
});
afterAll(async () => {
  await emulator.close();
  await second.close();
  await database.drop();
});
beforeEach(() => {
  count += 1;
  name = `account-${count}`;
  account = emulator.addAccount({ name, apiKey: `SG.key-identity-00${count}.secret` });
  account.addTeammate({ email: 'jane@acme.com' });
  account.addTeammate({ email: 'kim@acme.com' });
  account.invite({ email: 'new@acme.com' });
  const client = createSendGridClient({
    account: name,
    apiKey: `SG.key-identity-00${count}.secret`,
    baseUrl: emulator.url,
    pace: { acquire: async () => undefined, observe: async () => 0 },
    onUnauthorized: async () => undefined,
  });
  clients = new Map([[name, client]]);
  emulator.journal.length = 0;
});
afterEach(async () => {
  emulator.faults.clear();
  await clients.get(name)?.close();
});

interface Reading {
  since?: Date;
  partsSince?: Date;
  leaving?: boolean;
  urgent?: boolean;
  showing?: (roster: Pick<Roster, 'readAt'>) => boolean;
  db?: Database['db'];
  policy?: Policy;
}
const policyFor = (subusers: 'all' | 'none' | string[], more: Partial<Policy> = {}) =>
  policyWith({ accounts: [accountPolicy(name, { subusers })], ...more });
const read = ({
  since = long,
  partsSince = since,
  leaving = false,
  urgent = false,
  showing,
  db = database.db,
  policy = policyFor('none'),
}: Reading = {}) =>
  readRoster(
    { db, clients, policy },
    name,
    { teammatesSince: since, invitationsSince: since, partsSince, leaving, urgent },
    showing,
  );
const databaseNow = async () =>
  (await database.pool.query<{ at: Date }>('select clock_timestamp() as at')).rows[0]?.at ?? long;
const names = (roster: Roster) => roster.teammates.map(({ username }) => username).sort();
const walks = (path: string) =>
  emulator.journal.filter((entry) => entry.path === path && entry.query.endsWith('offset=0')).length;
const everybody = () => [...account.teammates.keys()].sort();
const teammatesPath = /^\/v3\/teammates$/;

async function untilThrottled(): Promise<Error> {
  for (let n = 0; n < 100; n += 1) {
    // However slow this machine is, nothing is allowed again meanwhile.
    await database.pool.query('update roster set tokens_at = now() where account = $1', [name]);
    const error = await databaseNow()
      .then((since) => read({ since }))
      .then(
        () => null,
        (thrown: Error) => thrown,
      );
    if (error !== null) return error;
  }
  throw new Error('was never throttled');
}

describe('readRoster', () => {
  it('gives everybody, when it was read, and whose key it is', async () => {
    const before = await databaseNow();
    const roster = await read({ since: before });
    expect(names(roster)).toEqual(everybody());
    expect(roster.invitations).toEqual([{ email: 'new@acme.com', admin: false, expiresAt: expect.any(Date) }]);
    expect(roster.ownUsername).toBe(`${name}-owner`);
    expect(roster.readAt >= before).toBe(true);
  });

  it('20 readers in two processes share one reading', async () => {
    const since = await databaseNow();
    const rosters = await Promise.all(
      Array.from({ length: 20 }, (_, index) => read({ since, db: index % 2 === 0 ? database.db : second.db })),
    );
    for (const roster of rosters) expect(names(roster)).toEqual(everybody());
    expect([walks('/v3/teammates'), walks('/v3/teammates/pending')]).toEqual([1, 1]);
    expect(emulator.journal.filter(({ path }) => path === '/v3/user/username')).toHaveLength(1);
  });

  it('reads only the part that is too old', async () => {
    await read();
    const since = await databaseNow();
    await readRoster({ db: database.db, clients, policy: policyFor('none') }, name, {
      teammatesSince: since,
      invitationsSince: long,
      partsSince: long,
      leaving: false,
      urgent: false,
    });
    expect([walks('/v3/teammates'), walks('/v3/teammates/pending')]).toEqual([2, 1]);
  });

  it('keeps no invitation’s token', async () => {
    await read();
    const { rows } = await database.pool.query('select items::text from roster where account = $1', [name]);
    const [token = 'none'] = account.invitations.keys();
    expect(rows.length).toBeGreaterThanOrEqual(3);
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  it('makes those wait who would read too often; an operator does not wait', async () => {
    expect(await untilThrottled()).toMatchObject({ code: 'ROSTER_THROTTLED', delayMs: expect.any(Number) });
    const since = await databaseNow();
    expect((await read({ since, urgent: true })).readAt >= since).toBe(true);
  });

  it('then shares what was read a moment ago with who accepts it', async () => {
    await untilThrottled();
    await database.pool.query(
      `update roster set tokens = 0, tokens_at = now() + interval '1 hour' where account = $1`,
      [name],
    );
    const since = await databaseNow();
    const asked: Pick<Roster, 'readAt'>[] = [];
    const showing = (answer: boolean) => (roster: Pick<Roster, 'readAt'>) => {
      asked.push(roster);
      return answer;
    };
    const shared = await read({ since, showing: showing(true) });
    expect(shared.readAt < since).toBe(true);
    expect(shared).toMatchObject(asked[0] ?? {});
    await expect(untilThrottled().then((error) => Promise.reject(error))).rejects.toMatchObject({
      code: 'ROSTER_THROTTLED',
    });
  });

  it.each([
    ['an outage', { kind: 'status', status: 503 }],
    ['a refusal', { kind: 'status', status: 403 }],
    ['garbage', { kind: 'garbage', body: '<html>' }],
    ['a list without a list', { kind: 'garbage', body: '{}' }],
    ['a reset', { kind: 'reset' }],
  ] as const)('%s replaces nothing, reads as nobody’s absence, and blocks nobody', async (_, fault) => {
    await read();
    const injected = emulator.faults.inject({ path: teammatesPath, fault });
    const since = await databaseNow();
    await expect(read({ since })).rejects.toThrow();
    expect(injected.hits).toBeGreaterThan(0);
    expect(names(await read())).toEqual(everybody());
    injected.remove();
    expect(names(await read({ since }))).toEqual(everybody());
  });

  it('a first reading that fails leaves nothing behind', async () => {
    emulator.faults.inject({ path: teammatesPath, times: 1, fault: { kind: 'status', status: 500 } });
    await expect(read()).rejects.toMatchObject({ code: 'SENDGRID_OUTAGE' });
    expect(names(await read())).toEqual(everybody());
  });

  it('looks twice for whoever is missing suddenly, and believes the second look', async () => {
    await read();
    const complete = { result: [] };
    emulator.faults.inject({
      path: teammatesPath,
      times: 2,
      fault: { kind: 'garbage', body: JSON.stringify(complete) },
    });
    expect(names(await read({ since: await databaseNow() }))).toEqual(everybody());
    account.teammates.delete('jane@acme.com');
    expect(names(await read({ since: await databaseNow() }))).toEqual(everybody());
  });

  it('keeps the earlier list when the second look fails', async () => {
    await read();
    const mine = name;
    emulator.on('request', ({ path, account: by }) => {
      if (name === mine && by === mine && path === '/v3/teammates' && walks('/v3/teammates') === 2) {
        emulator.faults.inject({ path: teammatesPath, fault: { kind: 'status', status: 503 } });
      }
    });
    account.teammates.delete('jane@acme.com');
    await expect(read({ since: await databaseNow() })).rejects.toThrow();
    expect(names(await read())).toContain('jane@acme.com');
  });

  it('is not read while SendGrid refuses the key', async () => {
    await openBreaker(database.db, name, 'refused');
    await expect(read()).rejects.toMatchObject({ code: 'ACCOUNT_BREAKER_OPEN' });
    expect(emulator.journal).toEqual([]);
    await closeBreaker(database.db, name);
    await read();
  });

  it('takes over from a reader that died', async () => {
    await read();
    await database.pool.query(`update roster set reading_until = now() + interval '700 ms' where account = $1`, [name]);
    const since = await databaseNow();
    expect((await read({ since })).readAt.getTime() - since.getTime()).toBeGreaterThan(500);
  });
});

describe('the parts beside the parent’s own people', () => {
  const inside = { id: 0, teammates: [{ email: 'jane@acme.com' }], apiKeys: [{ name: 'inside' }] };
  const seed = {
    teammates: [{ email: 'jane@acme.com' }],
    accessRequests: [{ email: 'jane@acme.com' }],
    alerts: [{ email_to: 'jane@acme.com' }],
    apiKeys: [{ name: 'jane-laptop' }],
    subusers: [
      { ...inside, id: 7, username: 'brand-eu', email: 'jane@acme.com', invitations: [{ email: 'new@acme.com' }] },
      { ...inside, id: 8, username: 'brand-us', alerts: [{ email_to: 'jane@acme.com' }] },
    ],
  };
  const callsTo = (path: string) => emulator.journal.filter((entry) => entry.path === path).length;
  const all = () => policyFor('all');
  const broken = (more: Partial<Parameters<SendGridEmulator['faults']['inject']>[0]> = {}, status = 500) =>
    emulator.faults.inject({ subuser: 'brand-eu', path: teammatesPath, fault: { kind: 'status', status }, ...more });

  beforeEach(() => {
    account = emulator.addAccount({ name, apiKey: `SG.key-identity-00${count}.secret`, ...structuredClone(seed) });
  });

  it('every subuser is swept, each listed once', async () => {
    const roster = await read({ policy: all() });
    const bySubuser = [...roster.subusers].sort((a, b) => a.id - b.id);
    expect(bySubuser).toMatchObject([
      { id: 7, name: 'brand-eu', email: 'jane@acme.com', invitations: [{ email: 'new@acme.com' }] },
      { id: 8, name: 'brand-us', invitations: [] },
    ]);
    for (const { teammates } of bySubuser) expect(teammates.map(({ email }) => email)).toEqual(['jane@acme.com']);
    expect(bySubuser[0]?.invitations[0]?.expiresAt).toBeInstanceOf(Date);
    expect(roster.accessRequests).toMatchObject([{ username: 'jane@acme.com' }]);
    expect(roster.unread).toEqual([]);
    // One for the parent and one for each subuser; the list of subusers itself is read once.
    expect([walks('/v3/teammates'), walks('/v3/teammates/pending'), walks('/v3/subusers')]).toEqual([3, 3, 1]);
  });

  it('an invitation’s token inside a subuser is kept nowhere either', async () => {
    await read({ policy: all() });
    const { rows } = await database.pool.query('select items::text from roster where account = $1', [name]);
    const [token = 'none'] = account.inSubuser('brand-eu').invitations.keys();
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  it('only the configured subusers are looked into, while all are known by id', async () => {
    const roster = await read({ policy: policyFor(['brand-us']) });
    expect(roster.subusers.map((one) => one.name)).toEqual(['brand-us']);
    expect(roster.subuserIds).toEqual([
      { id: 7, name: 'brand-eu' },
      { id: 8, name: 'brand-us' },
    ]);
    expect(walks('/v3/teammates')).toBe(2);
  });

  it('a configured subuser that does not exist is named, for good', async () => {
    const roster = await read({ policy: policyFor(['brand-us', 'brand-uk']) });
    expect(roster.unread).toMatchObject([{ account: name, part: 'subuser brand-uk', retryMs: null }]);
  });

  it('with none, subusers are not even listed, unless a granted role names them', async () => {
    expect((await read()).subuserIds).toEqual([]);
    expect(callsTo('/v3/subusers')).toBe(0);
    const roles = { brand: { kind: 'subusers' as const, subusers: [] } };
    const grants = [{ group: 'G', account: name, role: 'brand' }];
    expect((await read({ policy: policyFor('none', { roles, grants }) })).subuserIds).toHaveLength(2);
    expect(walks('/v3/teammates')).toBe(1);
  });

  it('one subuser that can’t be read is named and hides nothing', async () => {
    broken();
    const roster = await read({ policy: all() });
    expect(roster.unread).toMatchObject([{ account: name, part: 'subuser brand-eu', retryMs: expect.any(Number) }]);
    expect(roster.subusers.map((one) => one.name)).toEqual(['brand-us']);
    expect(names(roster)).toEqual(everybody());
    expect(roster.accessRequests).toHaveLength(1);
    // What was refused once does not read as clean from the shared copy either.
    expect((await read({ policy: all() })).unread).toHaveLength(1);
  });

  it('half of a subuser is not read: its invitations missing, its teammates do not count as all', async () => {
    broken({ path: /^\/v3\/teammates\/pending$/ });
    const roster = await read({ policy: all() });
    expect(roster.subusers.map((one) => one.name)).toEqual(['brand-us']);
    expect(roster.unread).toHaveLength(1);
  });

  it('a refusal is said to last: there is no use in trying again', async () => {
    broken({}, 403);
    expect((await read({ policy: all() })).unread).toMatchObject([{ part: 'subuser brand-eu', retryMs: null }]);
  });

  it.each([
    ['access requests', /^\/v3\/scopes\/requests$/, 'access-requests'],
    ['the list of subusers', /^\/v3\/subusers$/, 'subusers'],
  ])('%s that can’t be read are named and hide nothing', async (_, path, part) => {
    emulator.faults.inject({ path, fault: { kind: 'status', status: 503 } });
    const roster = await read({ policy: all() });
    expect(roster.unread).toMatchObject([{ account: name, part, retryMs: expect.any(Number) }]);
    expect(names(roster)).toEqual(everybody());
  });

  it('belongings and keys are read only when somebody leaves, in the parent and in every subuser', async () => {
    const calm = await read({ policy: all() });
    expect([calm.belongings, calm.keys]).toEqual([[], []]);
    expect([callsTo('/v3/alerts'), callsTo('/v3/api_keys')]).toEqual([0, 0]);
    const roster = await read({ policy: all(), leaving: true });
    expect(roster.belongings.map(({ kind, subuser }) => [kind, subuser])).toEqual(
      expect.arrayContaining([
        ['alert', null],
        ['alert', 'brand-us'],
      ]),
    );
    const keys = roster.keys.map((key) => [key.subuser ?? '', key.name]).sort();
    expect(keys).toEqual([
      ['', 'Sendoff'],
      ['', 'jane-laptop'],
      ['brand-eu', 'inside'],
      ['brand-us', 'inside'],
    ]);
    expect(roster.keys.map(({ id }) => id)).toContain(roster.ownKeyId);
  });

  it('keys of one subuser that can’t be read are named, and the others are there', async () => {
    broken({ path: /^\/v3\/api_keys$/ });
    const roster = await read({ policy: all(), leaving: true });
    expect(roster.unread).toMatchObject([{ account: name, part: 'api keys of subuser brand-eu' }]);
    expect(roster.keys.map(({ name: keyName }) => keyName).sort()).toEqual(['Sendoff', 'inside', 'jane-laptop']);
  });

  it('a burst of leavers shares them for a minute', async () => {
    const counts = () =>
      ['/v3/subusers', '/v3/alerts', '/v3/api_keys', '/v3/scopes/requests'].map((path) => callsTo(path));
    await read({ policy: all(), leaving: true });
    const once = counts();
    await Promise.all(Array.from({ length: 10 }, () => read({ policy: all(), leaving: true })));
    expect(counts()).toEqual(once);
    await database.pool.query(`update roster set read_at = read_at - interval '61 s' where account = $1`, [name]);
    await read({ policy: all(), leaving: true });
    expect(counts()).toEqual(once.map((calls) => calls * 2));
  });

  it('who needs them newer than that gets them newer', async () => {
    await read({ policy: all() });
    const since = await databaseNow();
    await read({ policy: all(), partsSince: since });
    expect([walks('/v3/subusers'), walks('/v3/scopes/requests')]).toEqual([2, 2]);
  });
});
