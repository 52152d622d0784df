import { sql } from 'kysely';
import type { Drift } from '#shared/lifecycle/drift.js';
import type { PlanState } from '#shared/lifecycle/types.js';
import type { Db } from './database.js';
import { type ListPage, type ListQuery, pageOf, seqBefore } from './lists.js';
import type { RunSummary } from './reconcile-runs.js';

// Comparisons that were asked for, over the API or by a source that lost its place: a worker makes them.

const foundKeptHours = 24;

/** What a comparison found in one account. */
export interface FoundAccount {
  account: string;
  complete: boolean;
  teammates: number;
  drift: (Omit<Drift, 'act' | 'granted'> & { announced: boolean; plan: string | null })[];
  plans: { id: string; state: PlanState; person: { id: string | null; email: string } }[];
  problems: string[];
}

export interface ReconcileRequest {
  id: string;
  mode: 'cheap' | 'deep';
  /** null: every account. */
  account: string | null;
  acceptShrink: boolean;
  by: string;
}

export async function requestReconcile(db: Db, request: Omit<ReconcileRequest, 'id'>): Promise<string> {
  const { mode, account, acceptShrink, by } = request;
  const { id } = await db
    .insertInto('reconcile_request')
    .values({ mode, account, accept_shrink: acceptShrink, requested_by: by, run_id: null, problem: null })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** The same for whoever asks unseen and again and again: one that waits already will do. */
export async function requestReconcileOnce(db: Db, by: string): Promise<void> {
  if ((await openRequest(db)) !== null) return;
  await requestReconcile(db, { mode: 'cheap', account: null, acceptShrink: false, by });
}

/** The oldest request that nobody has taken; it is this caller's from now on. */
export async function takeRequest(db: Db, runId: string): Promise<ReconcileRequest | null> {
  const { rows } = await sql<{
    id: string;
    mode: 'cheap' | 'deep';
    account: string | null;
    accept_shrink: boolean;
    requested_by: string;
  }>`
    update reconcile_request set taken_at = now(), run_id = ${runId}
    where id = (select id from reconcile_request where taken_at is null order by seq limit 1 for update skip locked)
    returning id, mode, account, accept_shrink, requested_by`.execute(db);
  const row = rows[0];
  if (row === undefined) return null;
  return { id: row.id, mode: row.mode, account: row.account, acceptShrink: row.accept_shrink, by: row.requested_by };
}

export async function openRequest(db: Db): Promise<Pick<ReconcileRequest, 'mode' | 'by'> | null> {
  const row = await db
    .selectFrom('reconcile_request')
    .select(['mode', 'requested_by'])
    .where('taken_at', 'is', null)
    .orderBy('seq')
    .executeTakeFirst();
  return row === undefined ? null : { mode: row.mode, by: row.requested_by };
}

/** @param outcome what it found, or why it broke off */
export async function finishRequest(
  db: Db,
  id: string,
  outcome: { found: FoundAccount[] } | { problem: string },
): Promise<void> {
  await db
    .updateTable('reconcile_request')
    .set({
      finished_at: sql<Date>`now()`,
      ...('problem' in outcome ? outcome : { found: JSON.stringify(outcome.found) }),
    })
    .where('id', '=', id)
    .execute();
}

/** Forgets what comparisons found whose time is up. */
export async function dropOldFindings(db: Db): Promise<void> {
  await db
    .updateTable('reconcile_request')
    .set({ found: null })
    .where('found', 'is not', null)
    .where('finished_at', '<', sql<Date>`now() - make_interval(hours => ${foundKeptHours})`)
    .execute();
}

/** One comparison as the API shows it. */
export interface RunItem {
  id: string;
  state: 'running' | 'done' | 'broken-off';
  mode: 'cheap' | 'deep';
  by: string;
  startedAt: string;
  finishedAt: string | null;
  progress: { done: number; of: number } | null;
  /** Numbers, no names; null: it broke off, or is not through. */
  summary: RunSummary | null;
}

/** Newest first. */
export async function listRuns(db: Db, query: ListQuery): Promise<ListPage<RunItem>> {
  const rows = await db
    .selectFrom('reconcile_run')
    .selectAll()
    .select(sql<boolean>`seen_at > now() - interval '60 seconds'`.as('alive'))
    .$if(query.before !== undefined, (qb) => qb.where(seqBefore('seq', query.before)))
    .orderBy('seq', 'desc')
    .limit(query.limit + 1)
    .execute();
  return pageOf(rows, query.limit, (row) => ({
    id: row.id,
    state: row.summary !== null ? 'done' : row.finished_at === null && row.alive ? 'running' : 'broken-off',
    mode: row.mode,
    by: row.started_by,
    startedAt: row.started_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    progress: 'of' in row.progress ? row.progress : null,
    summary: row.summary as RunSummary | null,
  }));
}

/** One request as the API shows it. */
export interface RequestItem extends Omit<ReconcileRequest, 'id'> {
  id: string;
  state: 'waiting' | 'running' | 'done' | 'failed';
  requestedAt: string;
  runId: string | null;
  progress: { done: number; of: number } | null;
  problem: string | null;
  /** What it found, account by account; null: not yet, or more than a day ago. */
  accounts: FoundAccount[] | null;
}

export async function showRequest(db: Db, id: string): Promise<RequestItem | null> {
  const row = await db
    .selectFrom('reconcile_request as request')
    .leftJoin('reconcile_run as run', 'run.id', 'request.run_id')
    .selectAll('request')
    .select('run.progress')
    .where('request.id', '=', id)
    .executeTakeFirst();
  if (row === undefined) return null;
  const ended = row.problem === null ? 'done' : 'failed';
  return {
    id: row.id,
    state: row.finished_at !== null ? ended : row.taken_at === null ? 'waiting' : 'running',
    mode: row.mode,
    account: row.account,
    acceptShrink: row.accept_shrink,
    by: row.requested_by,
    requestedAt: row.requested_at.toISOString(),
    runId: row.run_id,
    progress: row.progress !== null && 'of' in row.progress ? row.progress : null,
    problem: row.problem,
    accounts: row.found as FoundAccount[] | null,
  };
}
