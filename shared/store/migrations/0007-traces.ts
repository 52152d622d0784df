import { type Kysely, sql } from 'kysely';

const statements = [
  // Where a row's work goes on in a trace (W3C traceparent); the queue, which is told too, may be lost. Ids, no facts.
  `alter table inbox add column traceparent text`,
  `alter table plan add column traceparent text`,
  // What metrics count: outcomes since the last look, without reading the whole ledger.
  `create index action_ended on action (finished_at) include (account, state) where finished_at is not null`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
