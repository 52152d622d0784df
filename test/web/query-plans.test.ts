import { Kysely, PostgresDialect } from 'kysely';
import { afterAll, describe, expect, it } from 'vitest';
import { readFingerprints } from '#shared/store/changes.js';
import type { Schema } from '#shared/store/schema.js';
import { createTestDatabase } from '#test/support/database.js';
import { openConsole } from './console.js';

// Every list and search can walk along an index: PostgreSQL is asked what it does with each statement when it reads no
// table from end to end unless it must. SCALE=50 makes it 50,000 people and 1,000,000 audit records; `npm run bench -- --only
// console` measures how long it takes.

const scale = Number(process.env.SCALE ?? 1);
const database = await createTestDatabase();
const { pool } = database;
const statements: { sql: string; parameters: readonly unknown[] }[] = [];
const db = new Kysely<Schema>({
  dialect: new PostgresDialect({ pool }),
  log: ({ query }) => {
    statements.push({ sql: query.sql, parameters: query.parameters });
  },
});
const { app, ask } = await openConsole(db);
afterAll(async () => {
  await app.close();
  await database.drop();
});

const big = /Seq Scan on (person|inbox|plan|action|audit_entry|audit_personal|audit_chain|link)\b/;

await pool.query(`
  set statement_timeout = 0;
  insert into person (directory, directory_id, emails, first_name, last_name, seen_at, created_at, leaving_since)
    select 'okta', 'id' || n, array['person' || n || '@acme.com'], 'First' || n, 'Last' || n, now(), now() - n * interval '1 minute',
      case when n % 500 = 0 then now() - n * interval '1 minute' end
    from generate_series(1, ${1_000 * scale}) n;
  insert into inbox (source, event_id, type, person_ref, person_id, raw, state, received_at)
    select (array['okta', 'entra'])[1 + (id_n % 2)], 'e' || id_n, 'terminated', jsonb_build_object('directoryId', directory_id, 'email', emails[1]), id, '{}',
      case when id_n % 200 = 0 then 'waiting' else 'done' end, now() - id_n * interval '1 minute'
    from (select *, row_number() over () as id_n from person cross join generate_series(1, 4) g) p;
  insert into plan (person_id, event_id, person_version, verdict, reasons, refused, holds, unread, state, evidence_at, settled_at)
    select person_id, id, 1, 'leaver', '[]', '[]', '[]', '[]', case when seq % 500 = 0 then 'held' else 'settled' end, now(),
      case when seq % 500 = 0 then null else now() - seq * interval '5 minutes' end from inbox;
  insert into action (plan_id, person_id, kind, footprint, account, target, draft, state)
    select id, person_id, 'deprovision', 'teammate', (array['marketing', 'sales', 'x', 'y', 'z'])[1 + (seq % 5)], 'u' || seq,
      '{"kind":"deprovision","footprint":"teammate","reason":"left"}', case when seq % 500 = 0 then 'failed' else 'done' end from plan;
  insert into audit_entry (id, at, canonical)
    select gen_random_uuid(), now() - n * interval '1 second', json_build_object('id', n, 'kind', (array['event.received', 'plan.made', 'action.applied', 'person.settled'])[1 + (n % 4)],
      'actor', case when n % 1000 = 0 then 'user:jane@acme.com' else 'worker' end, 'account', case when n % 400 = 0 then 'marketing' end, 'person', null, 'action', null, 'before', null,
      'after', null, 'cause', null, 'detail', null, 'commit', null)::text
    from generate_series(1, ${20_000 * scale}) n;
  insert into audit_personal (entry_id, person_id, salt, data)
    select e.id, p.id, '', json_build_object('email', p.emails[1])::text
    from (select id, row_number() over () as n from audit_entry) e join (select id, emails, row_number() over () as n from person) p on p.n = 1 + (e.n % ${1_000 * scale});
  insert into audit_chain (seq, entry_id, leaf, hash) select row_number() over (order by at, id), id, '', '' from audit_entry;
  insert into roster (account, part, items, read_at) select 'marketing', 'teammates', jsonb_agg(jsonb_build_object('username', 'u' || n,
      'email', 'person' || n || '@acme.com', 'userType', 'teammate', 'admin', false, 'sso', true)), now() from generate_series(1, 1000) n;
  insert into roster (account, part, items, read_at) select 'account' || n, 'teammates', '[]', now() from generate_series(1, 500) n;
  analyze;
  reset statement_timeout`);
const client = await pool.connect();
afterAll(() => client.release());
await client.query('set enable_seqscan = off');

/** How PostgreSQL would answer what a path asks of the database. */
async function plansOf(path: string, body?: object): Promise<string[]> {
  statements.length = 0;
  const url = `/api/v1/${path}`;
  const { status, text } = await (body === undefined ? ask('GET', url) : ask('POST', url, { body }));
  expect([status, status === 200 ? '' : text]).toEqual([200, '']);
  return plansOfStatements();
}

/** Of what was asked since the last look, with the settings that were made for it. */
async function plansOfStatements(): Promise<string[]> {
  const plans: string[] = [];
  await client.query('begin');
  for (const { sql, parameters } of statements) {
    if (/^set local/.test(sql)) await client.query(sql);
    if (!/^\s*(select|with)/.test(sql)) continue;
    const plan = await client.query(`explain ${sql}`, [...parameters]);
    plans.push(`${sql}\n${plan.rows.map((row) => row['QUERY PLAN']).join('\n')}`);
  }
  await client.query('rollback');
  return plans;
}

const { rows } = await pool.query(`select id from person where emails[1] = 'person7@acme.com'`);
const someone = rows[0].id;

describe('walk along an index:', () => {
  it.each([
    'people',
    'people?leaving=true',
    `people/${someone}`,
    'events',
    'events?state=waiting',
    'events?source=okta',
    `events?personId=${someone}`,
    'plans',
    'plans?state=held',
    'plans?leaving=true',
    `plans?personId=${someone}`,
    'actions',
    'actions?state=failed',
    'actions?account=marketing',
    `actions?personId=${someone}`,
    'failures',
    'events/replays',
    'todos',
    'orders',
    'audit',
    'audit?kind=plan.made',
    'audit?account=marketing',
    `audit?personId=${someone}`,
    'audit/state',
    'reconciliations',
    'overview',
  ])('/%s', async (path) => {
    expect((await plansOf(path)).filter((plan) => big.test(plan))).toEqual([]);
  });

  it.each([
    ['people', { search: 'person77' }],
    ['people', { search: 'last9' }],
    ['events', { email: 'person7@acme.com' }],
    ['failures', { search: 'person7@acme.com' }],
    ['failures', { search: someone }],
    ['audit', { actor: 'user:jane@acme.com' }],
    ['audit', { email: 'person7@acme.com' }],
  ])('/%s/search of %j', async (list, body) => {
    expect((await plansOf(`${list}/search`, body)).filter((plan) => big.test(plan))).toEqual([]);
  });
});

// What is rare may lie at the far end: to walk along all of them, newest first, until enough are met, is no way to find it.
describe('walk along the index of what is asked for:', () => {
  it.each<[string, string, object?]>([
    ['events?source=okta', 'inbox_source'],
    ['events?source=file', 'inbox_source'],
    ['events?state=done', 'inbox_state'],
    ['events?type=terminated', 'inbox_type'],
    ['events/search', 'inbox_event', { eventId: 'e7' }],
    ['events?until=2020-01-01T00:00:00Z', 'inbox_received'],
    ['events?since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z', 'inbox_received'],
    ['plans?state=settled', 'plan_state'],
    ['actions?state=done', 'action_state'],
    ['actions?account=marketing', 'action_account'],
    ['audit/search', 'audit_entry_(kind|actor)', { kind: 'plan.made', actor: 'user:jane@acme.com' }],
    ['sources', 'inbox_source'],
    ['accounts/marketing/roster?filter=orphan', 'person_emails'],
    [`people/${someone}`, 'roster_names'],
  ])('/%s: %s', async (path, index, body) => {
    const plans = await plansOf(path, body);
    expect(plans.filter((plan) => new RegExp(` (on|using) ${index}\\b`).test(plan))).not.toEqual([]);
    expect(
      plans.filter((plan) => /using (inbox_seq_key|plan_seq_key|action_seq_key)/.test(plan) && !/seq [<>]/.test(plan)),
    ).toEqual([]);
  });

  it('also where PostgreSQL may choose to read a table from end to end: each teammate is looked up by address', async () => {
    await client.query('reset enable_seqscan');
    const plans = await plansOf('accounts/marketing/roster?filter=orphan');
    await client.query('set enable_seqscan = off');
    expect(plans.filter((plan) => /Filter: .*emails @>/.test(plan))).toEqual([]);
  });

  it('what looks every second for changes', async () => {
    statements.length = 0;
    await readFingerprints(db);
    expect((await plansOfStatements()).filter((plan) => big.test(plan))).toEqual([]);
  });
});
