import { type Kysely, sql } from 'kysely';

const statements = [
  // Subusers: '' is the parent. Stages: what is handed over goes before what is taken away.
  `alter table action
     add column subuser text not null default '',
     add column stage smallint not null default 0,
     add column reminded_at timestamptz`,
  `drop index action_one_at_a_time`,
  `create unique index action_one_at_a_time on action (account, subuser, footprint, target)
     where state in ('executing', 'unknown')`,
  `create index action_applied on action (account, target) where state = 'done' and kind in ('rescope', 'provision')`,
  // The rolling window of limits.removals.
  `create index action_removed on action (account, finished_at) where state = 'done' and kind in ('deprovision', 'restrict')`,

  `alter table plan
     add column todos jsonb not null default '[]',
     add column recheck_at timestamptz`,

  `alter table person
     add column manager_email text,
     add column groups text[] not null default '{}',
     add column leaving_since timestamptz`,

  `alter table operator_order add column effective_at timestamptz not null default now()`,

  `alter table restore_record add column subuser text not null default ''`,
  `create index restore_record_age on restore_record (created_at)`,

  `create table decision (
     id uuid primary key default gen_random_uuid(),
     plan_id uuid not null references plan,
     person_id uuid not null references person,
     set_hash text not null,
     answer text not null check (answer in ('approved', 'rejected')),
     decided_by text not null,
     reason text,
     decided_at timestamptz not null default now(),
     expires_at timestamptz,
     void_at timestamptz
   )`,
  `create index decision_person on decision (person_id) where void_at is null`,

  `create table stop (
     scope text primary key,
     stopped_by text not null,
     reason text,
     stopped_at timestamptz not null default now()
   )`,

  // One row: a copy of the database is told from another database by it.
  `create table installation (
     id uuid primary key,
     one boolean not null default true unique check (one)
   )`,

  `create table api_key (
     account text not null,
     subuser text not null default '',
     key_id text not null,
     name text not null,
     owner text,
     on_leave text check (on_leave in ('revoke', 'successor')),
     registered_by text,
     registered_at timestamptz,
     first_seen_at timestamptz not null default now(),
     gone_at timestamptz,
     primary key (account, subuser, key_id)
   )`,
  `create index api_key_owner on api_key (owner) where owner is not null`,

  // Whom an account showed at the last comparison: who is not among them has just arrived.
  `create table seen_teammate (
     account text not null,
     username text not null,
     first_seen_at timestamptz not null default now(),
     primary key (account, username)
   )`,

  `create table reconcile_run (
     id uuid primary key default gen_random_uuid(),
     seq bigint generated always as identity unique,
     mode text not null,
     started_by text not null,
     started_at timestamptz not null default now(),
     seen_at timestamptz not null default now(),
     finished_at timestamptz,
     progress jsonb not null default '{}',
     people integer,
     summary jsonb
   )`,
  `create index reconcile_run_finished on reconcile_run (finished_at) where finished_at is not null`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
