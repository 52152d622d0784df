import { sql } from 'kysely';
import type { Db } from './database.js';

/** Whoever has not given a sign of life for so long has died; the next may begin. */
const deadAfterSeconds = 60;

export interface RunAccount {
  account: string;
  complete: boolean;
  teammates: number;
  drift: number;
  /** The last list that was believed, which the next one is measured by; null: there was none. */
  measure: { teammates: number; at: string } | null;
}

/** What is kept of a run: numbers, no names. */
export interface RunSummary {
  /** How many each directory listed; runs of earlier releases did not say. */
  people?: Record<string, number>;
  accounts: RunAccount[];
  /** Leavers whom no event had announced: the sources that should have are silent or broken. */
  unannounced: number;
  problems: string[];
}

export interface LastRun {
  finishedAt: Date;
  mode: 'cheap' | 'deep';
  people: number;
  summary: RunSummary;
}

/** Begins a run, unless one is under way. @returns its id; null: one is under way */
export async function beginRun(db: Db, mode: 'cheap' | 'deep', by: string): Promise<string | null> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended('sendoff reconcile', 0))`.execute(tx);
    const alive = await tx
      .selectFrom('reconcile_run')
      .select('id')
      .where('finished_at', 'is', null)
      .where('seen_at', '>', sql<Date>`now() - make_interval(secs => ${deadAfterSeconds})`)
      .executeTakeFirst();
    if (alive !== undefined) return null;
    const { id } = await tx
      .insertInto('reconcile_run')
      .values({ mode, started_by: by, people: null, summary: null })
      .returning('id')
      .executeTakeFirstOrThrow();
    return id;
  });
}

export async function reportProgress(db: Db, id: string, progress: { done: number; of: number }): Promise<void> {
  await db
    .updateTable('reconcile_run')
    .set({ progress: JSON.stringify(progress), seen_at: sql<Date>`now()` })
    .where('id', '=', id)
    .execute();
}

/** @param summary null: it broke off, and the next one does not compare with it */
export async function finishRun(db: Db, id: string, people: number | null, summary: RunSummary | null): Promise<void> {
  await db
    .updateTable('reconcile_run')
    .set({ finished_at: sql<Date>`now()`, people, summary: summary === null ? null : JSON.stringify(summary) })
    .where('id', '=', id)
    .execute();
}

/** The last run that went through and whose directory was believed: what the next one is measured by. */
export async function lastRun(db: Db): Promise<LastRun | null> {
  const row = await db
    .selectFrom('reconcile_run')
    .selectAll()
    .where('finished_at', 'is not', null)
    .where('summary', 'is not', null)
    .where(sql<boolean>`summary -> 'problems' = '[]'::jsonb`)
    .orderBy('finished_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined || row.finished_at === null || row.summary === null) return null;
  return {
    finishedAt: row.finished_at,
    mode: row.mode,
    people: row.people ?? 0,
    summary: row.summary as RunSummary,
  };
}

/** How long ago the last run of a mode went through, by the database's clock, in ms; null: never. */
export async function sinceLastRun(db: Db, mode?: 'deep'): Promise<number | null> {
  const row = await db
    .selectFrom('reconcile_run')
    .select(sql<number | null>`(extract(epoch from now() - max(finished_at)) * 1000)::float8`.as('ms'))
    .where('summary', 'is not', null)
    .$if(mode !== undefined, (qb) => qb.where('mode', '=', 'deep'))
    .executeTakeFirst();
  return row?.ms ?? null;
}

/** A run under way, for whoever waits for it or shows it. */
export async function runUnderWay(db: Db): Promise<{ by: string; progress: { done: number; of: number } } | null> {
  const row = await db
    .selectFrom('reconcile_run')
    .select(['started_by', 'progress'])
    .where('finished_at', 'is', null)
    .where('seen_at', '>', sql<Date>`now() - make_interval(secs => ${deadAfterSeconds})`)
    .executeTakeFirst();
  return row === undefined ? null : { by: row.started_by, progress: row.progress };
}
