import { sql } from 'kysely';
import type { Db } from './database.js';

// Rows that stand for work: `due_at` says when somebody must look at them again, `round` how often they were put on
// the queue. The queue may forget everything; these columns don't.

export const workTables = ['inbox', 'plan', 'action'] as const;
export type WorkTable = (typeof workTables)[number];

/** How long a row put on the queue may stay unanswered before the sweeper asks after its job. */
export const queuedForSeconds = 20;

/** Past the moment at which the queue should have run a delayed job, the sweeper waits this long. */
const graceSeconds = 15;

export interface DueRow {
  id: string;
  /** The round it was last put on the queue with; 0: never. */
  round: number;
}

/** A row that goes onto the queue. */
export interface TakenRow extends DueRow {
  /** Where its trace goes on, and since when; null: nowhere. */
  traceparent: string | null;
  since: Date;
}

/** Whose trace a table's rows go on with, and when their work began. */
const origin = {
  inbox: sql`work.traceparent, work.received_at as since`,
  plan: sql`work.traceparent, work.created_at as since`,
  action: sql`(select plan.traceparent from plan where plan.id = work.plan_id) as traceparent, work.created_at as since`,
};

/** Rows that are due, oldest first, up to `limit`. They are locked for nobody: see `takeDue`. */
export async function findDue(db: Db, table: WorkTable, limit: number): Promise<DueRow[]> {
  return db
    .selectFrom(table)
    .select(['id', 'round'])
    .where('due_at', '<=', sql<Date>`now()`)
    .orderBy('due_at')
    .limit(limit)
    .execute();
}

/**
 * Takes due rows for one more round, so that of several relays only one puts each on the queue.
 * @returns the rows taken, with their new round
 */
export async function takeDue(db: Db, table: WorkTable, rows: DueRow[]): Promise<TakenRow[]> {
  if (rows.length === 0) return [];
  const result = await sql<TakenRow>`
    update ${sql.table(table)} as work
    set round = work.round + 1, due_at = now() + make_interval(secs => ${queuedForSeconds})
      ${table === 'inbox' ? sql`, state = 'queued'` : sql``}
    from unnest(${rows.map((r) => r.id)}::uuid[], ${rows.map((r) => r.round)}::int[]) as due (id, round)
    where work.id = due.id and work.round = due.round and work.due_at <= now()
    returning work.id, work.round, ${origin[table]}`.execute(db);
  return result.rows;
}

/** Leaves due rows whose job is alive on the queue to that job for a while longer. */
export async function leaveToQueue(db: Db, table: WorkTable, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable(table)
    .set({ due_at: sql<Date>`now() + make_interval(secs => ${queuedForSeconds})` })
    .where('id', 'in', ids)
    .where('due_at', 'is not', null)
    .execute();
}

/** Makes rows due at once: their job could not be put on the queue. */
export async function makeDue(db: Db, table: WorkTable, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable(table)
    .set({ due_at: sql<Date>`now()` })
    .where('id', 'in', ids)
    .where('due_at', 'is not', null)
    .execute();
}

/** The job runs again in `delayMs`; until then, and a little longer, the sweeper keeps off. */
export async function postpone(
  db: Db,
  table: WorkTable,
  id: string,
  delayMs: number,
  error: string | null,
): Promise<void> {
  await db
    .updateTable(table)
    .set({
      due_at: sql<Date>`now() + make_interval(secs => ${delayMs / 1000 + graceSeconds})`,
      ...(error === null ? {} : { last_error: error }),
    })
    .where('id', '=', id)
    .where('due_at', 'is not', null)
    .execute();
}

/** Counts a failed attempt. */
export async function countAttempt(db: Db, table: WorkTable, id: string, error: string): Promise<void> {
  await db
    .updateTable(table)
    .set((eb) => ({ attempts: eb('attempts', '+', 1), last_error: error }))
    .where('id', '=', id)
    .execute();
}
