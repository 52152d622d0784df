import { type Kysely, sql } from 'kysely';

const statements = [
  // Asked for by somebody who may only ask: it stands once a human has approved the plan that shows what it means.
  `alter table operator_order add column proposed boolean not null default false`,
  // What needs a human, for as long as it is so, and who was told.
  `create table alert (
     key text primary key,
     kind text not null,
     title text not null,
     remedy text not null,
     opened_at timestamptz not null default now(),
     times integer not null default 1,
     closed_at timestamptz
   )`,
  `create index alert_open on alert (opened_at) where closed_at is null`,
  `create table alert_channel (
     name text primary key,
     sending_until timestamptz,
     sent_at timestamptz,
     failures integer not null default 0,
     last_error text
   )`,
  `create table alert_delivery (
     channel text not null,
     key text not null references alert on delete cascade,
     times integer not null,
     sent_at timestamptz not null default now(),
     primary key (channel, key)
   )`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
