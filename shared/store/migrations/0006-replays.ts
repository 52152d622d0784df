import { type Kysely, sql } from 'kysely';

const statements = [
  // Many events that somebody wants planned anew. A worker feeds them, a few at a time.
  `create table replay (
     id uuid primary key default gen_random_uuid(),
     seq bigint generated always as identity unique,
     filter jsonb not null,
     requested_by text not null,
     requested_at timestamptz not null default now(),
     total integer not null,
     fed integer not null default 0,
     done integer not null default 0,
     aborted_by text,
     finished_at timestamptz
   )`,
  `create index replay_open on replay (seq) where finished_at is null`,
  // Which events, as they matched when it was asked for: what fails again must not be fed again.
  `create table replay_event (
     replay_id uuid not null references replay on delete cascade,
     place integer not null,
     event_id uuid not null,
     fed_at timestamptz,
     done_at timestamptz,
     primary key (replay_id, place)
   )`,
  `create index replay_event_open on replay_event (replay_id, place) where done_at is null`,
  `create index replay_event_under_way on replay_event (event_id) where fed_at is not null and done_at is null`,

  // Failures with the same cause have the same text, but for ids, addresses and numbers.
  `create function failure_cause(error text) returns text language sql immutable parallel safe as $$
     select left(regexp_replace(regexp_replace(regexp_replace(error,
       '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}', '…', 'g'),
       '[^[:space:]@"]+@[^[:space:]@"]+[.][a-zA-Z]+', '…', 'g'),
       '[0-9]{4,}', '…', 'g'), 500)
   $$`,
  `create index plan_leaving on plan (seq) where verdict <> 'keep'`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
