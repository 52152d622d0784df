import { createHash } from 'node:crypto';
import pg from 'pg';
import { commitTo, saltBytes } from '#shared/audit/hashes.js';

// A company of 50,000 after a year: made by PostgreSQL itself, set by set, for the application's own way takes hours.
// The audit trail is a genuine one; the section verifies it.

export const size = { people: 50_000, accounts: 50, teammatesEach: 1_000, events: 200_000, records: 1_000_000 };

const owned = size.events / 2;
/** One salt for all: what it hides is nobody's. */
const salt = Buffer.alloc(saltBytes, 7);
const pad = (byte: number) => Buffer.concat([salt, Buffer.alloc(64 - saltBytes)]).map((one) => one ^ byte);
const hex = (bytes: Uint8Array) => `'\\x${Buffer.from(bytes).toString('hex')}'::bytea`;

export const accountName = (i: number): string => `brand${i}`;
export const emailOf = (person: number): string =>
  `${firstNames[person % 20]}.${lastNames[person % 23]}${person}@acme.com`;

/** As `id_of` in the database. */
export function idOf(kind: string, n: number): string {
  const md5 = createHash('md5').update(`${kind} ${n}`).digest('hex');
  return `${md5.slice(0, 8)}-${md5.slice(8, 12)}-4${md5.slice(13, 16)}-8${md5.slice(17, 20)}-${md5.slice(20)}`;
}

export const firstNames =
  'jane kim noor ada ben carla dev eva finn gia hugo ida jon kai lena mia nils olga pia ravi'.split(' ');
export const lastNames =
  'smith jones garcia chen okafor rossi novak silva haas ito khan lund mora nagy ober petit quist reyes sato tran ueda vogt weiss'.split(
    ' ',
  );
const array = (words: string[]) => `array[${words.map((word) => `'${word}'`).join(',')}]`;

/** Fills an empty, migrated database. */
export async function fillDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`set synchronous_commit = off; set maintenance_work_mem = '256MB'; set work_mem = '64MB'`);
    await checkCommitment(client);
    const rebuild = await dropForWhile(client);
    for (const statement of statements) await client.query(statement);
    for (const statement of rebuild) await client.query(statement);
    await client.query('vacuum analyze');
  } finally {
    await client.end();
  }
}

/** Indexes and foreign keys are made once the tables are full: row by row they take most of the time. @returns how */
async function dropForWhile(client: pg.Client): Promise<string[]> {
  const tables = `array['person', 'link', 'inbox', 'plan', 'action', 'audit_entry', 'audit_personal', 'audit_chain']`;
  const { rows } = await client.query<{ dropped: string; made: string }>(`
    select format('alter table %s drop constraint %I', conrelid::regclass, conname) as dropped,
      format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as made
    from pg_constraint where contype = 'f' and conrelid::regclass::text = any(${tables})
    union all
    select format('drop index %I', indexname), indexdef from pg_indexes
    where schemaname = 'public' and tablename = any(${tables}) and not exists (select from pg_constraint where conname = indexname)`);
  for (const { dropped } of rows) await client.query(dropped);
  return rows.map(({ made }) => made);
}

/** What the SQL below commits to is what Sendoff would. */
async function checkCommitment(client: pg.Client): Promise<void> {
  await client.query(functions);
  const { rows } = await client.query<{ commit: string }>(`select commit_of('{"email":"a@acme.com"}') as commit`);
  if (rows[0]?.commit !== commitTo({ email: 'a@acme.com' }, salt)) throw new Error('the commitments would not fit');
}

const functions = `
  create schema bench;
  set search_path = public, bench;
  create function bench.chain_step(bytea, bytea) returns bytea language plpgsql immutable as
    $$ begin return sha256('\\x02'::bytea || $1 || $2); end $$;
  create aggregate bench.chain_of(bytea) (sfunc = bench.chain_step, stype = bytea, initcond = '\\x${'00'.repeat(32)}');
  create function bench.commit_of(text) returns text language sql immutable as
    $$ select encode(sha256(${hex(pad(0x5c))} || sha256(${hex(pad(0x36))} || convert_to($1, 'UTF8'))), 'hex') $$;
  create function bench.id_of(text, bigint) returns uuid language sql immutable as
    $$ select overlay(overlay(md5($1 || ' ' || $2) placing '4' from 13 for 1) placing '8' from 17 for 1)::uuid $$;
  create function bench.email_of(bigint) returns text language sql immutable as
    $$ select (${array(firstNames)})[1 + $1 % 20] || '.' || (${array(lastNames)})[1 + $1 % 23] || $1 || '@acme.com' $$;
`;

const access = `{"admin":false,"scopes":["mail.send","templates.read"],"subusers":[]}`;

const statements = [
  `insert into person (id, directory, directory_id, emails, first_name, last_name, groups, manager_email, seen_at, created_at, leaving_since)
   select id_of('person', n), 'okta', '00u' || n, array[email_of(n)], initcap((${array(firstNames)})[1 + n % 20]),
     initcap((${array(lastNames)})[1 + n % 23]), case when n % 10 < 9 then array['Marketers'] else array['Sales'] end,
     email_of(n / 10), now(), now() - n * interval '10 minutes', case when n % 500 = 0 then now() - n * interval '1 minute' end
   from generate_series(0, ${size.people - 1}) n`,

  // Everybody is a teammate of one account; a twentieth of each account is unknown to the directory.
  `insert into link (person_id, account, username)
   select id_of('person', n), 'brand' || n / 1000, 'u' || n from generate_series(0, ${size.people - 1}) n where n % 20 <> 0 and n % 2 = 0`,
  `insert into seen_teammate (account, username, first_seen_at)
   select 'brand' || n / 1000, 'u' || n, now() - case when n % 50 = 1 then interval '1 day' else interval '300 days' end
   from generate_series(0, ${size.people - 1}) n`,
  `insert into roster (account, part, items, read_at)
   select 'brand' || a, 'teammates', jsonb_agg(jsonb_build_object('username', 'u' || n, 'email',
       case when n % 20 = 0 then 'agency' || n || '@elsewhere.com' else email_of(n) end, 'userType', case when n % 100 = 3 then 'admin' else 'teammate' end,
       'admin', n % 100 = 3, 'sso', n % 3 > 0, 'firstName', 'First' || n, 'lastName', 'Last' || n)), now()
   from generate_series(0, ${size.accounts - 1}) a, generate_series(a * 1000, a * 1000 + ${size.teammatesEach - 1}) n group by a`,
  `insert into roster (account, part, items, read_at)
   select 'brand' || a, 'invitations', jsonb_agg(jsonb_build_object('email', 'guest' || n || '@acme.com', 'admin', n = 1,
       'expiresAt', to_char(now() + (n - 10) * interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))), now()
   from generate_series(0, ${size.accounts - 1}) a, generate_series(0, 19) n group by a`,
  `insert into roster (account, part, items, read_at)
   select 'brand' || a, 'subusers', jsonb_build_object('items', jsonb_build_object('swept', jsonb_agg(one))), now()
   from generate_series(0, ${size.accounts - 1}) a, lateral (
     select jsonb_build_object('name', 'sub' || s, 'teammates', jsonb_agg(jsonb_build_object('username', 'u' || n, 'email', email_of(n), 'admin', false)),
       'invitations', '[]'::jsonb) as one
     from generate_series(0, 4) s, generate_series(a * 1000 + s * 50, a * 1000 + s * 50 + 49) n group by s) as made group by a`,
  `insert into api_key (account, key_id, name, owner, on_leave)
   select 'brand' || n / 100, 'key' || n, 'key of ' || email_of(n * 10), case when n % 3 > 0 then email_of(n * 10) end, null
   from generate_series(0, 4999) n`,
  `insert into operator_order (email, ordered_by, ordered_at)
   select email_of(n * 100), 'user:jane@acme.com', now() - n * interval '1 hour' from generate_series(0, 199) n`,

  `insert into inbox (id, source, event_id, type, person_ref, person_id, occurred_at, received_at, raw, state, reason)
   select id_of('event', n), (array['okta', 'okta', 'okta', 'graph'])[1 + n / ${size.people} % 4], 'e' || n, 'terminated',
     jsonb_build_object('directoryId', '00u' || n % ${size.people}, 'email', email_of(n % ${size.people})), id_of('person', n % ${size.people}),
     at, at, convert_to(repeat('{"eventType":"user.lifecycle.deactivate"} ', 20), 'UTF8'),
     case when n % 1000 = 0 then 'dead' when n % 1000 = 1 then 'quarantined' when n % 2000 = 2 then 'waiting' else 'done' end,
     case when n % 1000 < 2 then 'the directory answered ' || n end
   from (select n, now() - (${size.events} - n) * interval '150 seconds' as at from generate_series(0, ${size.events - 1}) n order by n) made`,
  `insert into plan (id, person_id, event_id, person_version, verdict, reasons, refused, holds, unread, todos, state, set_hash, hold_expires_at,
     evidence_at, heard_at, created_at, settled_at)
   select id_of('plan', n), id_of('person', n % ${size.people}), id_of('event', n * 2), 1, 'leaver', '["the directory says: deprovisioned"]', '[]',
     case when held then '[{"rule":"limit","account":"brand1","target":null,"detail":"too many"}]'::jsonb else '[]' end, '[]',
     case when n % 200 = 5 then '[{"account":"brand1","text":"remove them from the shared inbox"}]'::jsonb else '[]' end,
     case when held then 'held' else 'settled' end, case when held then md5(n::text) || md5(n::text) end, case when held then now() + interval '1 day' end,
     at, at, at, case when not held then at + n % 300 * interval '1 second' end
   from (select n, n % 500 = 7 as held, now() - (${owned} - n) * interval '300 seconds' as at from generate_series(0, ${owned - 1}) n order by n) made`,
  `insert into action (id, plan_id, person_id, kind, footprint, account, target, draft, before, after, state, last_error, created_at, finished_at)
   select id_of('action', n), id_of('plan', n / 2), id_of('person', n / 2 % ${size.people}), kind, footprint, account, target,
     jsonb_build_object('kind', kind, 'footprint', footprint, 'account', account, 'target', target, 'reason', 'left'), '${access}', 'null',
     case when held then 'waiting' when n % 500 = 3 then 'failed' else 'done' end, case when n % 500 = 3 then 'SendGrid answered 500 to request ' || n end, at,
     case when not held then at + interval '3 seconds' end
   from (select n, n / 2 % 500 = 7 as held, now() - (${size.events} - n) * interval '150 seconds' as at, (array['deprovision', 'restrict'])[1 + n % 2] as kind,
       'teammate' as footprint, 'brand' || n / 2 % ${size.people} / 1000 as account, 'u' || n / 2 % ${size.people} as target
     from generate_series(0, ${size.events - 1}) n order by n) made`,

  // Five records for each event, as a termination has them; here and there somebody signs in, answers or exports.
  // `offset 0` keeps PostgreSQL from working out an event's ids anew for each of its records.
  `create temp table made as
   select n, id, person, at, personal,
     format('{"account":%s,"action":%s,"actor":"%s","after":null,"at":"%s","before":%s,"cause":{"eventIds":["%s"],"plan":%s,"source":"okta"},"commit":"%s","detail":null,"id":"%s","kind":"%s","person":{"id":"%s"}}',
       account, action, case when rare then 'user:jane@acme.com' when step = 0 then 'web' else 'worker' end, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       before, event, case when step > 0 then plan else 'null' end, commit, id,
       case when rare then (array['plan.approved', 'session.opened', 'audit.exported', 'effects.stopped'])[1 + n / 5000 % 4]
         else (array['event.received', 'plan.made', 'action.attempted', 'action.applied', 'person.settled'])[1 + step] end, person) as canonical
   from (
     select e * 5 + step as n, step, id_of('record', e * 5 + step) as id, person, event, plan, e % 1000 = 0 and step = 4 as rare,
       date_trunc('milliseconds', now() - (${size.records} - e * 5 - step) * interval '30 seconds') as at,
       case when acts then with_target else only_email end as personal, case when acts then commit_with_target else commit_only_email end as commit,
       case when acts then account else 'null' end as account, case when acts then action else 'null' end as action,
       case when acts then '${access}' else 'null' end as before
     from (
       select *, commit_of(with_target) as commit_with_target, commit_of(only_email) as commit_only_email from (
         select e, id_of('person', p) as person, id_of('event', e) as event, '"' || id_of('plan', e / 2) || '"' as plan, '"brand' || p / 1000 || '"' as account,
           format('{"footprint":"teammate","id":"%s","kind":"deprovision"}', id_of('action', e)) as action,
           format('{"email":"%s","target":"u%s"}', email_of(p), p) as with_target, format('{"email":"%s"}', email_of(p)) as only_email
         from (select e, e % ${size.people} as p from generate_series(0, ${size.events - 1}) e) as numbered offset 0) as named offset 0) as committed
     cross join (values (0, false), (1, false), (2, true), (3, true), (4, false)) as five (step, acts) offset 0) as facts`,
  'insert into audit_entry (id, at, canonical) select id, at, canonical from made order by n',
  `insert into audit_personal (entry_id, person_id, salt, data) select id, person, ${hex(salt)}, personal from made order by n`,
  `insert into audit_chain (seq, entry_id, leaf, hash)
   select n + 1, id, leaf, chain_of(leaf) over (order by n rows unbounded preceding)
   from (select n, id, sha256('\\x00'::bytea || convert_to(canonical, 'UTF8')) as leaf from made) as leaves`,
  'drop table made; drop schema bench cascade',
];
