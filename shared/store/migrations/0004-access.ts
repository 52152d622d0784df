import { type Kysely, sql } from 'kysely';

// Who signs in, and what lists and searches of the console and the API walk along.

const kind = `(canonical::jsonb ->> 'kind')`;
const actor = `(canonical::jsonb ->> 'actor')`;
const account = `(canonical::jsonb ->> 'account')`;

const statements = [
  // Issuer and subject are who somebody is; the name is what they are called in the audit trail, for good.
  `create table console_user (
     id uuid primary key default gen_random_uuid(),
     issuer text not null,
     subject text not null,
     name text not null unique,
     created_at timestamptz not null default now(),
     signed_in_at timestamptz not null default now(),
     unique (issuer, subject)
   )`,
  // Sessions of before are over: they belong to nobody.
  `delete from session`,
  `alter table session
     add column user_id uuid references console_user,
     add column groups text[] not null default '{}',
     add column proven_at timestamptz not null default now()`,
  `create index session_user_id on session (user_id)`,
  `create index session_age on session (created_at)`,

  `create table api_token (
     id uuid primary key default gen_random_uuid(),
     name text not null unique,
     role text not null check (role in ('viewer', 'operator', 'approver', 'admin')),
     hash bytea not null unique,
     created_by text not null,
     created_at timestamptz not null default now(),
     expires_at timestamptz not null,
     last_used_at timestamptz,
     revoked_at timestamptz,
     revoked_by text
   )`,

  `create table idempotency_key (
     actor text not null,
     key text not null,
     request_hash bytea not null,
     status integer,
     body text,
     created_at timestamptz not null default now(),
     primary key (actor, key)
   )`,
  `create index idempotency_key_age on idempotency_key (created_at)`,

  `create table reconcile_request (
     id uuid primary key default gen_random_uuid(),
     seq bigint generated always as identity unique,
     mode text not null check (mode in ('cheap', 'deep')),
     account text,
     accept_shrink boolean not null,
     requested_by text not null,
     requested_at timestamptz not null default now(),
     taken_at timestamptz,
     run_id uuid references reconcile_run,
     finished_at timestamptz,
     problem text
   )`,
  `create index reconcile_request_open on reconcile_request (seq) where taken_at is null`,

  `create table audit_verification (
     id uuid primary key default gen_random_uuid(),
     started_by text not null,
     started_at timestamptz not null default now(),
     finished_at timestamptz,
     result jsonb
   )`,
  `create index audit_verification_age on audit_verification (started_at)`,

  `create index inbox_address on inbox (lower(person_ref ->> 'email'), seq) where person_ref is not null`,
  `create index action_account on action (account, seq)`,
  `create index action_person on action (person_id, seq)`,
  `create index plan_todos on plan (seq) where todos <> '[]'::jsonb and state not in ('superseded', 'expired')`,
  `create index operator_order_email on operator_order (email, ordered_at)`,
  `create index operator_order_open on operator_order (ordered_at, id) where cancelled_at is null`,
  `create index link_person on link (person_id)`,
  `create index decision_plan on decision (plan_id)`,

  `create index person_newest on person (created_at, id)`,
  `create index person_directory_id on person (directory_id) where directory_id is not null`,
  `create index person_leaving on person (leaving_since, id) where leaving_since is not null`,
  `create index person_address on person (lower(emails[1]) text_pattern_ops)`,
  `create index person_last_name on person (lower(last_name) text_pattern_ops)`,
  `create index person_first_name on person (lower(first_name) text_pattern_ops)`,

  `create index audit_entry_at on audit_entry (at, id)`,
  `create index audit_entry_kind on audit_entry (${kind}, at, id)`,
  `create index audit_entry_actor on audit_entry (${actor}, at, id)`,
  `create index audit_entry_account on audit_entry (${account}, at, id) where ${account} is not null`,
  `create index audit_personal_email on audit_personal (lower(data::jsonb ->> 'email'))`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
