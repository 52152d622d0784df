import { type Kysely, sql } from 'kysely';

const statements = [
  // Addresses of which a sender said that they were given to somebody else, until it is settled whose access lies there.
  `create table recycled_address (
    address text primary key,
    told_at timestamptz not null default now()
  )`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
