import { type Kysely, sql } from 'kysely';

const statements = [
  // What one page of a catch-up brought: a run that by itself would remove too many is told from single events.
  `alter table inbox add column run uuid`,
  `create index inbox_run on inbox (run) where run is not null`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
