import { randomUUID } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import type { Db } from './database.js';
import type { Schema } from './schema.js';

// What is asked of each source again and again: one row for each cursor, taken by one process at a time.

/** A process that stops in the middle of a page holds up its source for so long. */
const leaseSeconds = 60;

export interface SourceTask {
  source: string;
  task: string;
}

export interface ClaimedTask extends SourceTask {
  cursor: string | null;
  /** Failures in a row so far. */
  failures: number;
  /** Proves that the row is still ours. */
  token: string;
}

/** Makes sure that there is a row for each; new ones are due at once. */
export async function addTasks(db: Db, tasks: SourceTask[]): Promise<void> {
  if (tasks.length === 0) return;
  await db
    .insertInto('source_task')
    .values(tasks.map(({ source, task }) => ({ source, task })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Takes every task that is due and that nobody is at. */
export async function claimTasks(db: Db, tasks: SourceTask[]): Promise<ClaimedTask[]> {
  if (tasks.length === 0) return [];
  const token = randomUUID();
  const { rows } = await sql<{ source: string; task: string; cursor: string | null; failures: number }>`
    update source_task set lease_token = ${token}, claimed_at = clock_timestamp(), lease_until = now() + make_interval(secs => ${leaseSeconds})
    where (source, task) in (
      select source, task from source_task
      where (source, task) in (
          select * from unnest(${tasks.map((one) => one.source)}::text[], ${tasks.map((one) => one.task)}::text[])
        )
        and due_at <= now() and (lease_until is null or lease_until < now())
      for update skip locked
    )
    returning source, task, cursor, failures`.execute(db);
  return rows.map((row) => ({ ...row, token }));
}

/**
 * Moves the cursor behind a page, in the transaction that stores the page, and lengthens the lease.
 * @returns false when somebody else has taken the task over: the page must not be stored
 */
export async function moveCursor(
  tx: Transaction<Schema>,
  { source, task, token }: ClaimedTask,
  cursor: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('source_task')
    .set({ cursor, lease_until: sql<Date>`now() + make_interval(secs => ${leaseSeconds})` })
    .where('source', '=', source)
    .where('task', '=', task)
    .where('lease_token', '=', token)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Says that it is still being worked on. */
export async function renewTask(db: Db, { source, task, token }: ClaimedTask): Promise<void> {
  await db
    .updateTable('source_task')
    .set({ lease_until: sql<Date>`now() + make_interval(secs => ${leaseSeconds})` })
    .where('source', '=', source)
    .where('task', '=', task)
    .where('lease_token', '=', token)
    .execute();
}

/** It went through; it is due again in `delayMs`, or at once if somebody asked meanwhile. */
export async function finishTask(db: Db, claimed: ClaimedTask, delayMs: number): Promise<void> {
  await release(db, claimed)
    .set({
      due_at: sql<Date>`case when woken_at > claimed_at then now()
        else now() + make_interval(secs => ${delayMs / 1_000}) end`,
      last_ok_at: sql<Date>`now()`,
      last_error: null,
      failures: 0,
    })
    .execute();
}

/** It did not; what was stored stays. @param lost the sender no longer knows the cursor */
export async function failTask(
  db: Db,
  claimed: ClaimedTask,
  { delayMs, error, lost }: { delayMs: number; error: string; lost: boolean },
): Promise<void> {
  await release(db, claimed)
    .set({
      due_at: sql<Date>`now() + make_interval(secs => ${delayMs / 1_000})`,
      last_error: error,
      failures: sql<number>`failures + 1`,
      ...(lost ? { cursor: null } : {}),
    })
    .execute();
}

function release(db: Db, { source, task, token }: ClaimedTask) {
  return db
    .updateTable('source_task')
    .set({ lease_token: null, lease_until: null })
    .where('source', '=', source)
    .where('task', '=', task)
    .where('lease_token', '=', token);
}

/** A delivery said that others were lost. A sender that asked to be left alone, or fails, is not asked sooner for it. */
export async function wakeTasks(db: Db, source: string, tasks: string[]): Promise<void> {
  if (tasks.length === 0) return;
  await db
    .updateTable('source_task')
    .set({
      due_at: sql<Date>`case when failures = 0 then now() else due_at end`,
      woken_at: sql<Date>`clock_timestamp()`,
    })
    .where('source', '=', source)
    .where('task', 'in', tasks)
    .execute();
}

export interface TaskState extends SourceTask {
  lastOkAt: Date | null;
  lastError: string | null;
  failures: number;
}

export async function taskStates(db: Db): Promise<TaskState[]> {
  const rows = await db.selectFrom('source_task').selectAll().orderBy('source').orderBy('task').execute();
  return rows.map((row) => ({
    source: row.source,
    task: row.task,
    lastOkAt: row.last_ok_at,
    lastError: row.last_error,
    failures: row.failures,
  }));
}
