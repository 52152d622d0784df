import { type Kysely, sql } from 'kysely';

// What lists, searches and figures walk along once there are 50,000 people, years of events and a million audit records.

const statements = [
  // What audit records are searched by, worked out once instead of by each index; nobody can write into these columns.
  // Kind together with actor or account is told within the index, however rarely the two meet.
  `alter table audit_entry
     add column kind text generated always as (canonical::jsonb ->> 'kind') stored,
     add column actor text generated always as (canonical::jsonb ->> 'actor') stored,
     add column account text generated always as (canonical::jsonb ->> 'account') stored`,
  `drop index audit_entry_kind, audit_entry_actor, audit_entry_account`,
  `create index audit_entry_kind on audit_entry (kind, at, id, actor, account)`,
  `create index audit_entry_actor on audit_entry (actor, at, id)`,
  `create index audit_entry_account on audit_entry (account, at, id) where account is not null`,

  // When the plan's event was received: time to deprovision without a look at each event.
  `alter table plan add column heard_at timestamptz not null default now()`,
  `update plan set heard_at = inbox.received_at from inbox where inbox.id = plan.event_id`,
  `drop index plan_settled`,
  `create index plan_times on plan (settled_at) include (heard_at) where verdict = 'leaver' and settled_at is not null`,

  // The sender's id first: people search by it without naming the source.
  `alter table inbox drop constraint inbox_source_event_id_key`,
  `create unique index inbox_event on inbox (event_id, source)`,
  `create index inbox_type on inbox ((coalesce(type, sender_type)), seq)`,
  `create index inbox_received on inbox (received_at)`,

  // What an account did lately, of any kind, and how much of what.
  `drop index action_removed`,
  `create index action_done on action (account, finished_at) where state = 'done'`,
  `create index action_tally on action (account, state)`,

  // How long a list is without unpacking it, and whose names stand in it.
  `alter table roster add column length integer
     generated always as (case jsonb_typeof(items) when 'array' then jsonb_array_length(items) end) stored`,
  `create function roster_names(items jsonb) returns text[] language sql immutable parallel safe cost 10000 as $$
     select coalesce(array_agg(distinct lower(name #>> '{}')), '{}') from (
       select jsonb_path_query(items, 'strict $.**.email') union all select jsonb_path_query(items, 'strict $.**.username')
     ) as found (name)
   $$`,
  `create index roster_names on roster using gin (roster_names(items)) where part in ('teammates', 'invitations', 'subusers')`,

  `create index api_key_place on api_key (account, subuser, name, key_id)`,
  `create index restore_record_restricted on restore_record (account) where kind = 'restrict' and closed_at is null`,
  `create index reconcile_run_open on reconcile_run (seen_at) where finished_at is null`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
