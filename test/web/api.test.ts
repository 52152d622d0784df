import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { verifyExport } from '#shared/audit/verify.js';
import { listen, send } from '#test/emulators/http.js';
import { startSendGridEmulator } from '#test/emulators/sendgrid/index.js';
import { createTestDatabase } from '#test/support/database.js';
import { openConsole, publicUrl, signingKey } from './console.js';

// What the console and programs see and order. Nothing here writes to SendGrid: it stores what is wanted.

const database = await createTestDatabase();
const { db, pool } = database;
const sendgrid = await startSendGridEmulator();
sendgrid.addAccount({
  name: 'marketing',
  apiKey: 'SG.key-of-marketing',
  owner: { username: 'o', email: 'owner@acme.com' },
});
const roleGroups = { viewer: ['v'], operator: ['o'], approver: ['a'], admin: ['r'] };
const signIn = { issuer: 'https://idp.acme.com', clientId: 'c', clientSecret: 's3cr3t-s3cr3t', roles: roleGroups };
const approvals = { approvers: ['jane@acme.com', 'kim@acme.com', 'test-approver'] };
const console = await openConsole(db, { signIn, approvals }, { sendgridUrl: sendgrid.url });
const { app, ask, cookie } = console;
afterAll(async () => {
  await app.close();
  await sendgrid.close();
  await database.drop();
});

beforeEach(async () => {
  await pool.query(`delete from idempotency_key; delete from decision; delete from action; delete from plan; delete from inbox;
    delete from link; delete from operator_order; delete from stop; delete from roster; delete from seen_teammate;
    delete from restore_record; delete from replay; delete from alert; delete from person`);
});

const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const one = async (text: string, values: unknown[] = []) => (await pool.query(text, values)).rows[0];

async function person(
  email: string,
  more: { first?: string; last?: string; groups?: string[]; leaving?: boolean } = {},
) {
  const { id } = await one(
    `insert into person (directory, directory_id, emails, first_name, last_name, groups, seen_at, leaving_since)
     values ('okta', $1, array[$2], $3, $4, $5, now(), case when $6 then now() end) returning id`,
    [`id-${email}`, email, more.first ?? null, more.last ?? null, more.groups ?? [], more.leaving ?? false],
  );
  return id as string;
}

async function event(email: string, personId: string | null, more: { state?: string; source?: string } = {}) {
  const { id } = await one(
    `insert into inbox (source, event_id, type, person_ref, person_id, raw, state)
     values ($4, gen_random_uuid()::text, 'terminated', $1, $2, '{}', $3) returning id`,
    [JSON.stringify({ directoryId: null, email }), personId, more.state ?? 'done', more.source ?? 'okta'],
  );
  return id as string;
}

/** A held plan with one removal. */
async function heldPlan(email: string) {
  const personId = await person(email, { leaving: true });
  const eventId = await event(email, personId);
  const setHash = 'a'.repeat(64);
  const { id } = await one(
    `insert into plan (person_id, event_id, person_version, verdict, reasons, refused, holds, unread, todos, state, set_hash, hold_expires_at, evidence_at)
     values ($1, $2, 1, 'leaver', '["left"]', '[]', '[{"rule":"mode-approve","account":"marketing","target":null,"detail":"approve"}]', '[]',
       '[{"account":"marketing","text":"rotate the key"}]', 'held', $3, now() + interval '1 day', now()) returning id`,
    [personId, eventId, setHash],
  );
  await pool.query(
    `insert into action (plan_id, person_id, kind, footprint, account, target, draft, state)
     values ($1, $2, 'deprovision', 'teammate', 'marketing', 'jdoe', $3, 'waiting')`,
    [
      id,
      personId,
      JSON.stringify({
        kind: 'deprovision',
        footprint: 'teammate',
        account: 'marketing',
        subuser: null,
        target: 'jdoe',
        email,
        admin: false,
        reason: 'left',
        confined: false,
      }),
    ],
  );
  return { id: id as string, setHash, personId, eventId };
}

async function roster(teammates: object[], invitations: object[] = []) {
  for (const [part, items] of [
    ['teammates', teammates],
    ['invitations', invitations],
  ] as const)
    await pool.query(
      `insert into roster (account, part, items, read_at) values ('marketing', $1, $2, clock_timestamp())`,
      [part, JSON.stringify(items)],
    );
}
const teammate = (username: string, more: object = {}) => ({
  username,
  email: `${username}@acme.com`,
  userType: 'teammate',
  admin: false,
  sso: false,
  firstName: null,
  lastName: null,
  ...more,
});

const audited = async (kind: string) =>
  (await pool.query<{ canonical: string }>('select canonical from audit_entry order by at desc')).rows
    .map(({ canonical }) => JSON.parse(canonical))
    .filter((record) => record.kind === kind);

describe('lists', () => {
  it('go page by page, newest first, and tell where the next one begins', async () => {
    const ids = [];
    for (let n = 0; n < 5; n += 1) ids.unshift(await event(`p${n}@acme.com`, null));
    const first = (await ask('GET', '/api/v1/events?limit=2')).body;
    const second = (await ask('GET', `/api/v1/events?limit=2&before=${first.next}`)).body;
    const third = (await ask('GET', `/api/v1/events?limit=2&before=${second.next}`)).body;
    expect([...first.items, ...second.items, ...third.items].map(({ id }) => id)).toEqual(ids);
    expect(third.next).toBeNull();
    expect((await ask('GET', '/api/v1/events?limit=501')).body).toMatchObject({
      status: 400,
      errors: [{ path: '/limit' }],
    });
  });

  it('find events by person, address, source and state, known to the directory or not', async () => {
    const jane = await person('jane.doe@acme.com');
    const known = await event('old@acme.com', jane);
    const unknown = await event('Jane.Doe@acme.com', null, { state: 'waiting', source: 'entra' });
    await event('kim@acme.com', null);
    const found = async (body: object) =>
      (await ask('POST', '/api/v1/events/search', { body })).body.items.map(({ id }: { id: string }) => id);
    expect(await found({ email: 'JANE.doe@acme.com' })).toEqual([unknown, known]);
    expect(await found({ personId: jane })).toEqual([known]);
    expect(await found({ source: 'entra', state: 'waiting' })).toEqual([unknown]);
    expect(await found({ type: 'joined' })).toEqual([]);
    expect((await ask('GET', `/api/v1/events?personId=${jane}`)).body.items).toMatchObject([{ id: known }]);
    expect((await ask('GET', `/api/v1/events/${known}`)).body).toMatchObject({ raw: '{}', plans: [] });
  });

  it('find events by time, also what was stored long after it was received', async () => {
    const ids: string[] = [];
    for (const receivedAt of [
      '2026-03-01T12:00Z',
      '2026-03-09T09:00Z',
      '2026-03-09T21:00Z',
      '2026-03-09T10:00Z',
      '2026-03-20T12:00Z',
    ]) {
      const id = await event('kim@acme.com', null);
      await pool.query('update inbox set received_at = $1 where id = $2', [receivedAt, id]);
      ids.push(id);
    }
    const found = async (query: string) =>
      (await ask('GET', `/api/v1/events?${query}`)).body.items.map(({ id }: { id: string }) => ids.indexOf(id));
    expect(await found('since=2026-03-09T09:30:00Z&until=2026-03-09T20:00:00Z')).toEqual([3]);
    expect(await found('since=2026-03-09T00:00:00Z&until=2026-03-10T00:00:00Z&source=okta')).toEqual([3, 2, 1]);
    expect(await found('until=2026-03-09T09:30:00Z')).toEqual([1, 0]);
    expect(await found('since=2026-03-09T20:00:00Z')).toEqual([4, 2]);
    expect(await found('since=2026-03-12T00:00:00Z&until=2026-03-13T00:00:00Z')).toEqual([]);
  });

  it('find people by the beginning of a name or address, and page by time', async () => {
    for (const n of [1, 2, 3]) await person(`jane${n}@acme.com`, { first: 'Jane', last: `Doe${n}`, leaving: n === 2 });
    await person('kim@acme.com', { last: '100%' });
    const names = async (body: object) =>
      (await ask('POST', '/api/v1/people/search', { body })).body.items.map(({ email }: { email: string }) => email);
    expect(await names({ search: 'JANE' })).toEqual(['jane3@acme.com', 'jane2@acme.com', 'jane1@acme.com']);
    expect(await names({ search: 'doe1' })).toEqual(['jane1@acme.com']);
    expect(await names({ search: '100%' })).toEqual(['kim@acme.com']);
    expect(await names({ search: '%' })).toEqual([]);
    expect(await names({ leaving: true })).toEqual(['jane2@acme.com']);
    expect((await ask('GET', '/api/v1/people?leaving=true')).body.items).toMatchObject([{ email: 'jane2@acme.com' }]);
    const first = (await ask('GET', '/api/v1/people?limit=3')).body;
    expect((await ask('GET', `/api/v1/people?limit=3&before=${first.next}`)).body).toMatchObject({
      items: [{ email: 'jane1@acme.com' }],
      next: null,
    });
  });

  it('38: give names as data, whatever is in them', async () => {
    const name = `<img src=x onerror=alert(1)>\u202e${'x'.repeat(10_000)}`;
    await person('evil@acme.com', { first: name });
    const answer = await ask('GET', '/api/v1/people');
    expect(answer.body.items[0].firstName).toBe(name);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  });
});

describe('one person', () => {
  it('has everything on one page: directory, footprints, plans, actions, what is left to do, orders', async () => {
    const { personId, id } = await heldPlan('jane@acme.com');
    await pool.query(`insert into link (person_id, account, username) values ($1, 'marketing', 'jdoe')`, [personId]);
    await roster(
      [teammate('jdoe', { email: 'other@acme.com', admin: true }), teammate('kim')],
      [{ email: 'JANE@acme.com', admin: false, expiresAt: null, token: 'pending-token' }],
    );
    await pool.query(`insert into roster (account, part, items, read_at) values ('sales', 'subusers', $1, now())`, [
      JSON.stringify({
        items: {
          swept: [{ id: 1, name: 'brand', email: 'x@acme.com', teammates: [teammate('jane')], invitations: [] }],
          ids: [],
        },
        unread: [],
      }),
    ]);
    await ask('POST', '/api/v1/orders/offboard', { body: { email: 'jane@acme.com', reason: 'left' } });
    const { body, text } = await ask('GET', `/api/v1/people/${personId}`);
    expect(body).toMatchObject({
      email: 'jane@acme.com',
      links: [{ account: 'marketing', username: 'jdoe' }],
      footprints: [
        { account: 'marketing', subuser: null, footprint: 'invitation', target: 'JANE@acme.com' },
        { account: 'marketing', subuser: null, footprint: 'teammate', target: 'jdoe', admin: true },
        { account: 'sales', subuser: 'brand', footprint: 'teammate', target: 'jane' },
      ],
      plans: [{ id, state: 'held', hold: { setHash: 'a'.repeat(64) } }],
      actions: [{ kind: 'deprovision', target: 'jdoe' }],
      todos: [{ account: 'marketing', text: 'rotate the key', planId: id }],
      orders: [{ state: 'standing', by: 'token:test-admin', reason: 'left' }],
    });
    expect(body.timeline.map(({ kind }: { kind: string }) => kind).sort()).toEqual(['action', 'event', 'plan']);
    expect(text).not.toContain('pending-token');
  });
});

describe('orders', () => {
  it('are facts with an event of their own, by whoever gave them, and can be taken back', async () => {
    const jane = await cookie(['o'], 'jane@acme.com');
    const order = { body: { email: 'Kim@acme.com', reason: 'left' }, headers: jane };
    const given = await ask('POST', '/api/v1/orders/offboard', order);
    expect(given).toMatchObject({ status: 202, body: { person: { email: 'kim@acme.com' }, state: 'received' } });
    expect(console.nudged).toBeGreaterThan(0);
    expect((await ask('GET', `/api/v1/events/${given.body.eventId}`)).body).toMatchObject({
      source: 'operator',
      type: 'terminated',
    });
    expect((await audited('operator.ordered'))[0]).toMatchObject({ actor: 'user:jane@acme.com' });
    expect((await ask('GET', '/api/v1/orders')).body.items).toMatchObject([
      { email: 'kim@acme.com', by: 'user:jane@acme.com' },
    ]);
    expect((await ask('POST', '/api/v1/orders/cancel', { body: { email: 'kim@acme.com' } })).status).toBe(202);
    expect((await ask('POST', '/api/v1/orders/cancel', { body: { email: 'kim@acme.com' } })).body).toMatchObject({
      status: 409,
      code: 'NO_ORDER',
    });
  });

  it('wait for their day', async () => {
    const at = new Date(Date.now() + 86_400_000).toISOString();
    const { body } = await ask('POST', '/api/v1/orders/offboard', { body: { email: 'kim@acme.com', at } });
    expect((await ask('GET', `/api/v1/events/${body.eventId}`)).body).toMatchObject({
      state: 'waiting',
      reason: `ordered for ${at}`,
    });
  });

  it('give back only what was taken', async () => {
    expect((await ask('POST', '/api/v1/orders/restore', { body: { email: 'kim@acme.com' } })).body).toMatchObject({
      status: 409,
      code: 'NOTHING_TO_RESTORE',
    });
  });
});

describe('an answer to a held plan', () => {
  const answer = async (id: string, name: string, body: object, headers: Record<string, string>) =>
    ask('POST', `/api/v1/plans/${id}/${name}`, { body, headers });

  it('lets exactly what was shown go, once, and says who did so and why', async () => {
    const { id, setHash } = await heldPlan('leaver@acme.com');
    const jane = await cookie(['a'], 'jane@acme.com');
    expect((await answer(id, 'approve', { setHash: 'b'.repeat(64) }, jane)).body).toMatchObject({
      status: 409,
      code: 'PLAN_CHANGED',
    });
    expect((await answer(id, 'approve', { setHash, reason: 'really left' }, jane)).body).toMatchObject({
      state: 'applying',
    });
    expect((await answer(id, 'approve', { setHash }, jane)).body.code).toBe('PLAN_NOT_HELD');
    expect((await audited('plan.approved'))[0]).toMatchObject({ actor: 'user:jane@acme.com' });
    const { data } = await one(
      `select data from audit_personal join audit_entry on id = entry_id where (canonical::jsonb ->> 'kind') = 'plan.approved' limit 1`,
    );
    expect(JSON.parse(data).more).toEqual({ reason: 'really left' });
  });

  it('28: comes from a second person, wherever the first one asked', async () => {
    const { id, setHash } = await heldPlan('leaver@acme.com');
    const jane = await cookie(['r'], 'jane@acme.com');
    await ask('POST', '/api/v1/orders/offboard', { body: { email: 'leaver@acme.com' }, headers: jane });
    expect((await answer(id, 'approve', { setHash }, jane)).body).toMatchObject({ status: 403, code: 'SAME_PERSON' });
    await pool.query(`update operator_order set ordered_by = 'operator:jane@acme.com'`);
    expect((await answer(id, 'approve', { setHash }, jane)).body).toMatchObject({ status: 403, code: 'SAME_PERSON' });
    const stranger = await cookie(['a'], 'lee@acme.com');
    expect((await answer(id, 'approve', { setHash }, stranger)).body).toMatchObject({
      status: 403,
      code: 'NOT_AN_APPROVER',
    });
    const kim = await cookie(['a'], 'kim@acme.com');
    expect((await answer(id, 'reject', { setHash }, kim)).body.state).toBe('rejected');
  });
});

describe('a replay', () => {
  const replays = (body: object) => ask('POST', '/api/v1/events/replays', { body });

  it('plans one anew, or keeps all that match for a worker: counted, bounded, abortable, and by whom is audited', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 30; n += 1) ids.push(await event(`p${n}@acme.com`, null, { state: 'dead' }));
    await event('other@acme.com', null, { source: 'entra', state: 'dead' });
    expect((await replays({ filter: { source: 'okta' }, dryRun: true })).body).toEqual({
      id: null,
      count: 30,
      dryRun: true,
    });
    const { id, count } = (await replays({ filter: { source: 'okta', state: 'dead' }, limit: 25 })).body;
    expect(count).toBe(25);
    // Nothing is due at once: the worker feeds them.
    expect((await one('select count(*)::int as n from inbox where due_at is not null')).n).toBe(0);
    const shown = { id, state: 'waiting', count: 25, started: 0, done: 0, filter: { source: 'okta', state: 'dead' } };
    expect((await ask('GET', `/api/v1/events/replays/${id}`)).body).toMatchObject(shown);
    expect((await ask('GET', '/api/v1/events/replays')).body.items[0]).toMatchObject(shown);
    expect((await audited('events.replayed'))[0]).toMatchObject({
      actor: 'token:test-admin',
      detail: { replay: id, source: 'okta', count: 25 },
    });
    const abort = () => ask('POST', `/api/v1/events/replays/${id}/abort`, { as: 'operator' });
    expect((await abort()).body).toMatchObject({ state: 'aborted', abortedBy: 'token:test-operator' });
    expect((await abort()).body).toMatchObject({ status: 409, code: 'REPLAY_OVER' });
    expect((await audited('replay.aborted'))[0]).toMatchObject({
      actor: 'token:test-operator',
      detail: { replay: id, left: 25 },
    });
    expect((await replays({ filter: { source: 'nowhere' } })).body).toMatchObject({ code: 'NOTHING_TO_REPLAY' });
    expect((await ask('POST', `/api/v1/events/${ids[0]}/replay`)).status).toBe(202);
    expect((await ask('POST', `/api/v1/events/${uuid(9)}/replay`)).status).toBe(404);
    expect((await ask('POST', `/api/v1/events/replays/${uuid(9)}/abort`)).status).toBe(404);
  });

  it('of one person names them in the personal part of the record alone', async () => {
    await event('jane@acme.com', null, { state: 'dead' });
    const { id } = (await replays({ filter: { email: 'jane@acme.com' } })).body;
    const stored = await one('select * from replay where id = $1', [id]);
    expect(stored.filter).toEqual({ person: 'one' });
    expect(JSON.stringify((await audited('events.replayed'))[0])).not.toContain('jane@acme.com');
  });

  it('leaves an order for a later day to its day', async () => {
    const at = new Date(Date.now() + 86_400_000).toISOString();
    await ask('POST', '/api/v1/orders/offboard', { body: { email: 'later@acme.com', at } });
    expect((await replays({ filter: { email: 'later@acme.com' }, dryRun: true })).body.count).toBe(0);
  });
});

describe('failures', () => {
  const fail = async (email: string, error: string) => {
    const { id, eventId } = await heldPlan(email);
    await pool.query(`update action set state = 'failed', last_error = $2 where plan_id = $1`, [id, error]);
    return { id, eventId };
  };
  const failures = async (search?: string) => {
    const found =
      search === undefined
        ? ask('GET', '/api/v1/failures', { as: 'viewer' })
        : ask('POST', '/api/v1/failures/search', { as: 'viewer', body: { search } });
    return (await found).body;
  };

  it('are grouped by cause, all of them, and found by person or id', async () => {
    const first = await fail('ann@acme.com', `SendGrid marketing: 403 for ann@acme.com, request 8412345`);
    await fail('ben@acme.com', `SendGrid marketing: 403 for ben@acme.com, request 99123456`);
    await event('kim@acme.com', null, { state: 'dead' });
    await pool.query(`update inbox set last_error = 'two people have this address' where state = 'dead'`);
    await pool.query(
      `insert into inbox (source, event_id, raw, state, reason) values ('okta', 'x', '{}', 'quarantined', 'is no event')`,
    );
    const { items, total } = await failures();
    expect(total).toBe(4);
    expect(
      items.map(({ place, text, count, replayable }: Record<string, unknown>) => [place, text, count, replayable]),
    ).toEqual(
      expect.arrayContaining([
        ['marketing', '403 for …, request …', 2, 2],
        ['okta', 'two people have this address', 1, 1],
        ['okta', 'is no event', 1, 0],
      ]),
    );
    expect(items[0].count).toBe(2);
    expect(items[0].examples.map((one: { person: { email: string } }) => one.person.email).sort()).toEqual([
      'ann@acme.com',
      'ben@acme.com',
    ]);
    expect((await failures('ANN')).total).toBe(1);
    expect((await failures(first.id)).total).toBe(1);
    expect((await failures('kim@acme.com')).items[0].text).toBe('two people have this address');
    expect((await failures('nobody')).items).toEqual([]);
  });

  it('of one cause are replayed as a whole, narrowed as they were shown', async () => {
    for (const name of ['ann', 'ben', 'abe']) await fail(`${name}@acme.com`, `403 for ${name}@acme.com`);
    await fail('kim@acme.com', 'another one');
    const [{ id: cause }] = (await failures()).items;
    const count = async (filter: object) =>
      (await ask('POST', '/api/v1/events/replays', { body: { filter, dryRun: true } })).body.count;
    expect(await count({ cause })).toBe(3);
    expect(await count({ cause, search: 'a' })).toBe(2);
    const { id } = (await ask('POST', '/api/v1/events/replays', { body: { filter: { cause } } })).body;
    const { n } = await one('select count(*)::int as n from replay_event where replay_id = $1', [id]);
    expect(n).toBe(3);
  });
});

describe('alerts', () => {
  it('say what needs somebody now', async () => {
    await pool.query(
      `insert into alert (key, kind, title, remedy) values ('breaker:sales', 'breaker', 'refused: okta-secret-token', 'mend it')`,
    );
    const { items } = (await ask('GET', '/api/v1/alerts', { as: 'viewer' })).body;
    expect(items).toMatchObject([{ id: 'breaker:sales', state: 'open', kind: 'breaker', remedy: 'mend it' }]);
    expect(items[0].title).not.toContain('okta-secret-token');
  });

  it('are sent to each channel on trial, which says whether it works and who tried', async () => {
    const heard: string[] = [];
    const ears = await listen((request, response) => {
      heard.push(request.path);
      send(response, { status: request.path === '/good' ? 200 : 500 });
    });
    const notifications = {
      good: { type: 'slack', token: `${ears.url}/good`, on: ['hold'], digest: '1m' },
      bad: { type: 'slack', token: `${ears.url}/bad` },
    };
    const other = await openConsole(db, { notifications, signIn });
    const headers = (await cookie(['o'])) as Record<string, string>;
    await pool.query(`insert into alert_channel (name, failures, last_error) values ('bad', 3, 'it answered 500')`);
    const channels = (await other.ask('GET', '/api/v1/alerts/channels', { headers })).body.items;
    expect(channels).toMatchObject([
      { name: 'good', type: 'slack', on: ['hold'], digestSeconds: 60, failures: 0 },
      { name: 'bad', failures: 3, lastError: 'it answered 500' },
    ]);
    expect(JSON.stringify(channels)).not.toContain(ears.url);
    const test = (body: object) => other.ask('POST', '/api/v1/alerts/test', { headers, body });
    expect((await test({ channel: 'good' })).body).toEqual({ channels: [{ channel: 'good', ok: true, error: null }] });
    expect(heard).toEqual(['/good']);
    const all = (await test({})).body.channels;
    expect(all.map(({ ok }: { ok: boolean }) => ok)).toEqual([true, false]);
    expect((await test({ channel: 'nobody' })).body).toMatchObject({ status: 404, code: 'CHANNEL_UNKNOWN' });
    expect((await audited('alerts.tested'))[0]).toMatchObject({
      actor: 'user:jane@acme.com',
      detail: { told: ['good'], failed: ['bad'] },
    });
    await other.app.close();
    await ears.close();
  });
});

describe('plans of who is leaving', () => {
  it('are the newest of each person, if it takes access away', async () => {
    const jane = await heldPlan('jane@acme.com');
    const kim = await heldPlan('kim@acme.com');
    await pool.query(
      `insert into plan (person_id, event_id, person_version, verdict, reasons, refused, holds, unread, state, evidence_at)
       values ($1, $2, 2, 'keep', '["returned"]', '[]', '[]', '[]', 'settled', now())`,
      [kim.personId, kim.eventId],
    );
    const { items } = (await ask('GET', '/api/v1/plans?leaving=true')).body;
    expect(items.map(({ id }: { id: string }) => id)).toEqual([jane.id]);
  });
});

describe('accounts', () => {
  it('show who is there, by what is odd about them, and what stands in the way', async () => {
    const kim = await person('kim@acme.com', { groups: ['marketers'] });
    await person('lee@acme.com', { groups: ['Others'] });
    await pool.query(`insert into link (person_id, account, username) values ($1, 'marketing', 'kim')`, [kim]);
    await roster(
      [
        teammate('kim', { admin: true }),
        teammate('lee'),
        teammate('ghost'),
        teammate('guest', { sso: true }),
        teammate('own', { userType: 'owner' }),
      ],
      [{ email: 'late@acme.com', admin: false, expiresAt: '2020-01-01T00:00:00.000Z' }],
    );
    await pool.query(
      `insert into seen_teammate (account, username, first_seen_at) values ('marketing', 'kim', now() - interval '9 days'), ('marketing', 'guest', now())`,
    );
    const names = async (filter: string) =>
      (await ask('GET', `/api/v1/accounts/marketing/roster?${filter}`)).body.items.map(
        ({ person }: { person: { email: string } }) => person.email.split('@')[0],
      );
    expect(await names('filter=orphan')).toEqual(['ghost', 'guest']);
    expect(await names('filter=admin')).toEqual(['kim', 'own']);
    expect(await names('filter=arrived')).toEqual(['guest']);
    expect(await names('filter=no-grant')).toEqual(['lee']);
    expect(await names('filter=expired')).toEqual(['late']);
    const search = { body: { search: 'GH', limit: 1 } };
    expect((await ask('POST', '/api/v1/accounts/marketing/roster/search', search)).body).toMatchObject({
      items: [{ person: { email: 'ghost@acme.com' } }],
      total: 1,
    });
    const page = (await ask('GET', '/api/v1/accounts/marketing/roster?limit=4')).body;
    expect([page.total, page.next]).toEqual([6, '4']);
    expect(await names('limit=4&before=4')).toEqual(['lee', 'own']);
    expect((await ask('GET', '/api/v1/accounts/nowhere/roster')).body).toMatchObject({
      status: 404,
      code: 'ACCOUNT_UNKNOWN',
    });

    await ask('POST', '/api/v1/stops', { body: { account: 'marketing', reason: 'audit' } });
    const [marketing, sales] = (await ask('GET', '/api/v1/accounts')).body.items;
    expect(marketing).toMatchObject({
      account: 'marketing',
      mode: 'approve',
      teammates: 5,
      seatsUsed: 6,
      stop: { scope: 'marketing', by: 'token:test-admin', reason: 'audit' },
    });
    expect(sales).toMatchObject({ readAt: null, stop: null });
    expect((await ask('POST', '/api/v1/stops/resume', { body: { account: 'marketing' } })).body.items).toEqual([]);
    expect((await audited('effects.resumed'))[0]).toMatchObject({ account: 'marketing', actor: 'token:test-admin' });
  });

  it('have keys, whose owners people tell; SendGrid is only asked whether the key is there', async () => {
    const writes: string[] = [];
    sendgrid.on('request', ({ method }) => void (method === 'GET' || writes.push(method)));
    const answer = await ask('POST', '/api/v1/keys/marketing/nosuchkey/adopt', { body: { owner: 'Jane@acme.com' } });
    expect(answer.body).toMatchObject({ status: 404, code: 'KEY_UNKNOWN' });
    await pool.query(`insert into api_key (account, key_id, name) values ('marketing', 'k1', 'jane-dev')`);
    expect((await ask('PUT', '/api/v1/keys/marketing/k1/owner', { body: { owner: 'Jane@acme.com' } })).body).toEqual({
      account: 'marketing',
      id: 'k1',
      name: 'jane-dev',
      owner: 'jane@acme.com',
    });
    expect((await ask('POST', '/api/v1/keys/search', { body: { owner: 'Jane@acme.com' } })).body.items).toMatchObject([
      { id: 'k1', state: 'registered' },
    ]);
    await pool.query(
      `insert into api_key (account, key_id, name) values ('marketing', 'k2', 'b'), ('sales', 'k3', 'a')`,
    );
    const first = (await ask('GET', '/api/v1/keys?limit=2')).body;
    const second = (await ask('GET', `/api/v1/keys?limit=2&before=${first.next}`)).body;
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(['k2', 'k1', 'k3']);
    expect(second.next).toBeNull();
    expect((await ask('GET', '/api/v1/keys?unattributed=true&account=sales')).body.items).toMatchObject([{ id: 'k3' }]);
    expect((await audited('key.registered'))[0]).toMatchObject({ actor: 'token:test-admin' });
    expect(writes).toEqual([]);
  });
});

describe('a write with an Idempotency-Key', () => {
  const order = (key: string, email: string, headers: Record<string, string> = {}) =>
    ask('POST', '/api/v1/orders/offboard', { body: { email }, headers: { 'idempotency-key': key, ...headers } });

  it('is done once: the same answer again, for another body 422, for another caller nothing of it', async () => {
    const first = await order('k1', 'a@acme.com');
    const again = await order('k1', 'a@acme.com');
    expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([202, first.body, 'true']);
    expect((await order('k1', 'b@acme.com')).body).toMatchObject({ status: 422, code: 'IDEMPOTENCY_REUSED' });
    const other = await order('k1', 'a@acme.com', await cookie(['o'], 'jane@acme.com'));
    expect(other.body.eventId).not.toBe(first.body.eventId);
    expect((await pool.query(`select * from inbox where source = 'operator'`)).rows).toHaveLength(2);
  });

  it('waits for the first one, and may be made again when that one failed or died', async () => {
    await order('k2', 'a@acme.com');
    await pool.query(`update idempotency_key set status = null, body = null`);
    expect((await order('k2', 'a@acme.com')).body).toMatchObject({ status: 409, code: 'IDEMPOTENCY_UNDER_WAY' });
    await pool.query(`update idempotency_key set created_at = now() - interval '3 minutes'`);
    expect((await order('k2', 'a@acme.com')).status).toBe(202);
    await pool.query('alter table operator_order rename to hidden');
    expect((await order('k3', 'a@acme.com')).status).toBe(500);
    await pool.query('alter table hidden rename to operator_order');
    expect((await order('k3', 'a@acme.com')).status).toBe(202);
  });

  it('is forgotten after a day, and keeps no secret', async () => {
    await order('k4', 'a@acme.com');
    await pool.query(`update idempotency_key set created_at = now() - interval '25 hours'`);
    expect((await order('k4', 'b@acme.com')).status).toBe(202);
    const headers = { 'idempotency-key': 'k5' };
    const body = { name: `t-${randomUUID()}`, role: 'viewer' };
    const made = await ask('POST', '/api/v1/tokens', { body, headers });
    expect((await ask('POST', '/api/v1/tokens', { body, headers })).body).toMatchObject({
      status: 409,
      code: 'SHOWN_ONCE',
    });
    expect(JSON.stringify((await pool.query('select * from idempotency_key')).rows)).not.toContain(made.body.token);
  });
});

describe('the audit trail', () => {
  it('is searched by kind, actor, person and address, page by page', async () => {
    const jane = await person('search.me@acme.com');
    const found = async (body: object) => (await ask('POST', '/api/v1/audit/search', { body })).body;
    const orders = { kind: 'operator.ordered', email: 'search.me@acme.com', limit: 2 };
    for (const reason of ['one', 'two', 'three']) {
      await pool.query('delete from operator_order');
      await ask('POST', '/api/v1/orders/offboard', { body: { email: 'search.me@acme.com', reason } });
    }
    const first = await found(orders);
    const second = await found({ ...orders, before: first.next });
    expect([first.items.length, second.items.length, second.next]).toEqual([2, 1, null]);
    expect(first.items[0]).toMatchObject({
      kind: 'operator.ordered',
      actor: 'token:test-admin',
      person: { email: 'search.me@acme.com' },
    });
    expect((await ask('GET', `/api/v1/audit?personId=${jane}`)).body.items).toEqual([]);
    expect((await found({ actor: 'user:nobody' })).items).toEqual([]);
    expect((await ask('GET', '/api/v1/audit?account=marketing&since=2020-01-01T00:00:00Z')).status).toBe(200);
  });

  it('56: is exported as evidence that verifies, and that it was, and by whom, is in it', async () => {
    const { text, headers } = await ask('GET', '/api/v1/audit/export', { as: 'viewer' });
    expect(headers['content-disposition']).toBe('attachment; filename="sendoff-audit.jsonl"');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => `${line}\n`);
    expect(
      await verifyExport(
        lines.map((line) => line.trimEnd()),
        signingKey.publicKey,
      ),
    ).toMatchObject({ ok: true });
    expect(text).toContain('"kind":"audit.exported"');
    expect((await audited('audit.exported'))[0]).toMatchObject({ actor: 'token:test-viewer' });
    expect((await ask('GET', '/api/v1/audit/export?format=csv')).text).toMatch(/^seq,/);
  });

  it('is exported however long the signing takes: a connection that stands still meanwhile is not cut', async () => {
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    app.server.timeout = 200;
    const holder = await pool.connect();
    await holder.query('begin');
    // The chain's lock, which signing waits for.
    await holder.query('select pg_advisory_xact_lock(7331001)');
    const answer = fetch(`${url}/api/v1/audit/export`, { headers: await console.bearer('viewer') });
    setTimeout(() => void holder.query('commit').finally(() => holder.release()), 1_000);
    const lines = (await (await answer).text()).split('\n');
    app.server.timeout = 20_000;
    expect(await verifyExport(lines, signingKey.publicKey)).toMatchObject({ ok: true });
  });

  it('is verified whole on demand, and tells what came of it', async () => {
    expect((await ask('POST', '/api/v1/audit/verifications')).status).toBe(202);
    for (;;) {
      const { body } = await ask('GET', '/api/v1/audit/state');
      if (body.verification.state === 'running') continue;
      expect(body).toMatchObject({
        verification: { result: { ok: true } },
        checkpoint: { publicKey: signingKey.publicKey },
      });
      break;
    }
  });
});

describe('settings', () => {
  it('show the configuration in force without a secret, and the grants as a table', async () => {
    const { body, text } = await ask('GET', '/api/v1/config', { as: 'viewer' });
    expect(body.config).toMatchObject({ accounts: { marketing: { mode: 'approve' } }, signIn: { clientId: 'c' } });
    for (const secret of ['SG.key-of-marketing', 'okta-secret-token', 'hook-secret-0123456789', 's3cr3t-s3cr3t'])
      expect(text).not.toContain(secret);
    expect((await ask('GET', '/api/v1/grants')).body).toMatchObject({
      accounts: ['marketing', 'sales'],
      rows: [{ group: 'Marketers', roles: { marketing: 'marketer', sales: null } }],
    });
  });

  it('ask every key and directory on demand', async () => {
    const { body } = await ask('POST', '/api/v1/doctor', { as: 'operator' });
    expect(body.checks.find(({ name }: { name: string }) => name === 'database')).toMatchObject({ ok: true });
    expect(body.checks.some(({ name, ok }: { name: string; ok: boolean }) => name.includes('okta') && !ok)).toBe(true);
  });
});

describe('the overview', () => {
  it('says how it stands in one answer', async () => {
    await heldPlan('jane@acme.com');
    const settled = await heldPlan('kim@acme.com');
    await pool.query(`update plan set state = 'settled', settled_at = heard_at + interval '90 seconds' where id = $1`, [
      settled.id,
    ]);
    const { body } = await ask('GET', '/api/v1/overview', { as: 'viewer' });
    expect(body).toMatchObject({
      plans: { held: 1 },
      actions: { waiting: 2 },
      leaving: 2,
      workerAlive: false,
      timeToDeprovision: { count: 1, p50Seconds: 90, p95Seconds: 90, withinSla: 1, days: [{ count: 1 }] },
      accounts: [{ account: 'marketing' }, { account: 'sales' }],
      sources: [{ source: 'okta', authority: true }],
    });
  });
});

describe('a comparison', () => {
  it('is asked for, and made by a worker', async () => {
    const { body, status } = await ask('POST', '/api/v1/reconciliations', {
      body: { mode: 'cheap', account: 'marketing' },
    });
    expect([status, body]).toMatchObject([202, { state: 'waiting', by: 'token:test-admin', account: 'marketing' }]);
    expect((await ask('GET', `/api/v1/reconciliations/requests/${body.id}`)).body.state).toBe('waiting');
    expect((await ask('GET', '/api/v1/reconciliations')).body.items).toEqual([]);
    expect((await ask('POST', '/api/v1/reconciliations', { body: { account: 'nowhere' } })).status).toBe(404);
  });
});

it('27: GET changes nothing', async () => {
  await heldPlan('jane@acme.com');
  const state = async () =>
    (
      await pool.query(`select (select json_agg(plan order by id) from plan) p, (select json_agg(action order by id) from action) a,
    (select json_agg(inbox order by id) from inbox) i, (select json_agg(person order by id) from person) h, (select count(*) from stop) s`)
    ).rows;
  const before = await state();
  const gets = app.guarded.filter(
    // The stream has no end: test/web/stream.test.ts.
    ({ url, method }) => url.startsWith('/api/v1/') && url !== '/api/v1/stream' && [method].flat().includes('GET'),
  );
  expect(gets.length).toBeGreaterThan(20);
  for (const { url } of gets)
    await ask('GET', url.replace(':account', 'marketing').replace(':id', uuid(1)), { headers: { origin: publicUrl } });
  expect(await state()).toEqual(before);
});
