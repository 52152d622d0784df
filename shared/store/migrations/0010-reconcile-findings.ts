import { type Kysely, sql } from 'kysely';

const statements = [
  // What a comparison found that somebody asked for over the API: names, so it is kept for a day.
  'alter table reconcile_request add column found jsonb',
  'create index reconcile_request_found on reconcile_request (finished_at) where found is not null',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
