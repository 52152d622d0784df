import { type Kysely, sql } from 'kysely';

const statements = [
  `create table person (
     id uuid primary key default gen_random_uuid(),
     directory text not null,
     directory_id text,
     emails text[] not null default '{}',
     first_name text,
     last_name text,
     seen_at timestamptz,
     version integer not null default 0,
     created_at timestamptz not null default now(),
     unique (directory, directory_id)
   )`,
  `create index person_emails on person using gin (emails)`,

  `create table link (
     person_id uuid not null references person,
     account text not null,
     username text not null,
     linked_at timestamptz not null default now(),
     primary key (person_id, account, username)
   )`,
  `create index link_username on link (account, username)`,

  `create table operator_order (
     id uuid primary key default gen_random_uuid(),
     email text not null,
     ordered_by text not null,
     reason text,
     ordered_at timestamptz not null default now(),
     cancelled_by text,
     cancelled_at timestamptz
   )`,
  `create unique index operator_order_standing on operator_order (email) where cancelled_at is null`,

  `create table inbox (
     id uuid primary key default gen_random_uuid(),
     seq bigint generated always as identity unique,
     source text not null,
     event_id text not null,
     type text,
     sender_type text,
     person_ref jsonb,
     person_id uuid references person,
     occurred_at timestamptz,
     received_at timestamptz not null default now(),
     raw bytea not null,
     state text not null,
     reason text,
     round integer not null default 0,
     due_at timestamptz,
     attempts integer not null default 0,
     last_error text,
     unique (source, event_id)
   )`,
  `create index inbox_due on inbox (due_at) where due_at is not null`,
  `create index inbox_state on inbox (state, seq)`,
  `create index inbox_person on inbox (person_id, seq)`,

  `create table roster (
     account text not null,
     part text not null,
     items jsonb,
     read_at timestamptz,
     tokens double precision,
     tokens_at timestamptz,
     reading_until timestamptz,
     primary key (account, part)
   )`,

  `create table account (
     name text primary key,
     breaker_opened_at timestamptz,
     breaker_reason text,
     probed_at timestamptz
   )`,

  `create table pace (
     account text not null,
     endpoint text not null,
     quota integer,
     remaining integer,
     reset_at timestamptz,
     primary key (account, endpoint)
   )`,

  `create table plan (
     id uuid primary key default gen_random_uuid(),
     seq bigint generated always as identity unique,
     person_id uuid not null references person,
     event_id uuid not null references inbox,
     person_version integer not null,
     verdict text not null,
     reasons jsonb not null,
     refused jsonb not null,
     holds jsonb not null,
     unread jsonb not null,
     state text not null,
     set_hash text,
     hold_expires_at timestamptz,
     evidence_at timestamptz not null,
     created_at timestamptz not null default now(),
     settled_at timestamptz,
     round integer not null default 0,
     due_at timestamptz,
     attempts integer not null default 0,
     last_error text
   )`,
  `create index plan_due on plan (due_at) where due_at is not null`,
  `create index plan_state on plan (state, seq)`,
  `create index plan_person on plan (person_id, seq)`,
  `create index plan_event on plan (event_id)`,
  `create index plan_settled on plan (settled_at) where settled_at is not null`,

  `create table action (
     id uuid primary key default gen_random_uuid(),
     seq bigint generated always as identity unique,
     plan_id uuid not null references plan,
     person_id uuid not null references person,
     kind text not null,
     footprint text not null,
     account text not null,
     target text not null,
     draft jsonb not null,
     state text not null,
     lease_owner text,
     lease_until timestamptz,
     fence integer not null default 0,
     before jsonb,
     after jsonb,
     created_at timestamptz not null default now(),
     finished_at timestamptz,
     round integer not null default 0,
     due_at timestamptz,
     attempts integer not null default 0,
     last_error text
   )`,
  `create index action_due on action (due_at) where due_at is not null`,
  `create index action_state on action (state, seq)`,
  `create index action_plan on action (plan_id)`,
  // Two workers never work on one footprint at once, whichever plan they come from.
  `create unique index action_one_at_a_time on action (account, footprint, target) where state in ('executing', 'unknown')`,
  `create index action_open on action (account) where state in ('ready', 'executing', 'unknown', 'waiting')`,

  `create table restore_record (
     id uuid primary key default gen_random_uuid(),
     person_id uuid not null references person,
     action_id uuid not null references action,
     account text not null,
     username text not null,
     kind text not null,
     record jsonb not null,
     created_at timestamptz not null default now(),
     closed_at timestamptz,
     unique (action_id)
   )`,
  `create index restore_record_open on restore_record (person_id) where closed_at is null`,

  `create table process (
     id text primary key,
     role text not null,
     host text not null,
     pid integer not null,
     started_at timestamptz not null default now(),
     seen_at timestamptz not null default now()
   )`,

  `create table session (
     id bytea primary key,
     actor text not null,
     created_at timestamptz not null default now(),
     seen_at timestamptz not null default now()
   )`,

  `create table audit_entry (
     id uuid primary key,
     at timestamptz not null,
     canonical text not null
   )`,
  // What the sequencer takes from: its size is that of the backlog, whatever the log has grown to.
  `create table audit_pending (
     xid xid8 not null default pg_current_xact_id(),
     entry_id uuid not null references audit_entry,
     primary key (xid, entry_id)
   )`,
  `create table audit_personal (
     entry_id uuid primary key references audit_entry,
     person_id uuid,
     salt bytea not null,
     data text not null
   )`,
  `create index audit_personal_person on audit_personal (person_id)`,
  `create table audit_chain (
     seq bigint primary key,
     entry_id uuid not null unique references audit_entry,
     leaf bytea not null,
     hash bytea not null
   )`,
  `create table audit_checkpoint (
     size bigint not null,
     public_key text not null,
     root bytea not null,
     frontier jsonb not null,
     note text not null,
     signature text not null,
     signed_at timestamptz not null default now(),
     primary key (size, public_key)
   )`,
  // INSERT-only, by the database itself: a bug or a careless operator cannot edit evidence. Personal data may be erased.
  `create function refuse_change() returns trigger language plpgsql as $$
   begin
     raise exception 'Sendoff: % on % is refused: audit tables are INSERT-only', tg_op, tg_table_name;
   end $$`,
  ...['audit_entry', 'audit_chain', 'audit_checkpoint', 'audit_personal'].flatMap((table) => [
    `create trigger ${table}_insert_only before update ${table === 'audit_personal' ? '' : 'or delete '}on ${table} for each row execute function refuse_change()`,
    `create trigger ${table}_no_truncate before truncate on ${table} for each statement execute function refuse_change()`,
    `alter table ${table} enable always trigger ${table}_insert_only`,
    `alter table ${table} enable always trigger ${table}_no_truncate`,
  ]),
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
