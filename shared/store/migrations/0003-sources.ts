import { type Kysely, sql } from 'kysely';

const statements = [
  // What is asked of each source again and again, and where it was left off.
  `create table source_task (
     source text not null,
     task text not null,
     cursor text,
     due_at timestamptz not null default now(),
     woken_at timestamptz,
     claimed_at timestamptz,
     lease_token uuid,
     lease_until timestamptz,
     last_ok_at timestamptz,
     last_error text,
     failures integer not null default 0,
     primary key (source, task)
   )`,
  // Hooks, channels, subscriptions and streams made at the providers. No secret is in here.
  `create table subscription (
     id uuid primary key default gen_random_uuid(),
     source text not null,
     kind text not null,
     remote_id text,
     resource_id text,
     created_at timestamptz not null default now(),
     expires_at timestamptz,
     problem text
   )`,
  `create index subscription_source on subscription (source, created_at)`,
  // When a source was heard of last.
  `create index inbox_source on inbox (source, seq)`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
