import { sql, type Transaction } from 'kysely';
import {
  type Access,
  type ActionDraft,
  type ActionKind,
  type ActionState,
  type FootprintKind,
  heirIn,
  type Persona,
  type Snapshot,
} from '#shared/lifecycle/types.js';
import type { Db } from './database.js';
import { type ListPage, type ListQuery, only, pageOf, seqBefore } from './lists.js';
import type { Schema } from './schema.js';

type Tx = Transaction<Schema>;

/** Longer than a look, an act and a look again may take together (reliability.md §3). */
export const leaseSeconds = 45;

const finalStates: ActionState[] = ['done', 'noop', 'refused', 'superseded'];

export interface ActionRow {
  id: string;
  planId: string;
  personId: string;
  eventId: string;
  draft: ActionDraft;
  state: ActionState;
  attempts: number;
  /** Held: a human must release it first. */
  held: boolean;
  /** What was there before the effect; undefined until it was about to be sent. */
  before: Snapshot | null | undefined;
  createdAt: Date;
  remindedAt: Date | null;
  /** How long ago the directory was read for the plan, by the database's clock. */
  evidenceAgeMs: number;
  planSuperseded: boolean;
  leaseMsLeft: number;
}

/** Reads an action and locks its row for the claim. null when it does not exist. */
export async function lockAction(tx: Tx, id: string): Promise<ActionRow | null> {
  const row = await tx
    .selectFrom('action')
    .innerJoin('plan', 'plan.id', 'action.plan_id')
    .selectAll('action')
    .select([
      'plan.event_id',
      sql<number>`(extract(epoch from now() - plan.evidence_at) * 1000)::float8`.as('evidence_age_ms'),
      'plan.state as plan_state',
      sql<boolean>`action.before is not null`.as('before_known'),
      sql<number>`coalesce(greatest(0, extract(epoch from action.lease_until - now()) * 1000), 0)::float8`.as(
        'lease_ms_left',
      ),
    ])
    .where('action.id', '=', id)
    .forUpdate('action')
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    id: row.id,
    planId: row.plan_id,
    personId: row.person_id,
    eventId: row.event_id,
    draft: row.draft,
    state: row.state,
    attempts: row.attempts,
    held: row.state === 'waiting' && row.due_at === null,
    before: row.before_known ? row.before : undefined,
    createdAt: row.created_at,
    remindedAt: row.reminded_at,
    evidenceAgeMs: row.evidence_age_ms,
    planSuperseded: row.plan_state === 'superseded',
    leaseMsLeft: row.lease_ms_left,
  };
}

export function isFinal(state: ActionState): boolean {
  return finalStates.includes(state);
}

/** Takes the lease. @returns the fence that every later write must carry */
export async function leaseAction(tx: Tx, id: string, owner: string): Promise<number> {
  const row = await tx
    .updateTable('action')
    .set((eb) => ({
      state: 'executing',
      lease_owner: owner,
      lease_until: leaseEnd(),
      due_at: leaseEnd(),
      fence: eb('fence', '+', 1),
    }))
    .where('id', '=', id)
    .returning('fence')
    .executeTakeFirstOrThrow();
  return row.fence;
}

/** Somebody has the lease. Should they have died: it is looked at when it ends, however far a failed job put it off. */
export async function lookAtLeaseEnd(tx: Tx, id: string): Promise<void> {
  await tx
    .updateTable('action')
    .set((eb) => ({ due_at: eb.ref('lease_until') }))
    .where('id', '=', id)
    .whereRef('due_at', '>', 'lease_until')
    .execute();
}

/** Renews the lease just before the effect. @returns false when somebody else has taken over */
export async function renewLease(tx: Tx, id: string, fence: number, before: Snapshot | null): Promise<boolean> {
  const result = await tx
    .updateTable('action')
    .set({ lease_until: leaseEnd(), due_at: leaseEnd(), before: JSON.stringify(before) })
    .where('id', '=', id)
    .where('fence', '=', fence)
    .where('state', '=', 'executing')
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export interface Release {
  state: ActionState;
  /** When somebody must look again; null for never. */
  dueMs: number | null;
  error: string | null;
  /** Does this round count as an attempt? Being told to wait does not. */
  counts: boolean;
  after?: Snapshot | null;
  /** Somebody outside was asked to do their part just now. */
  reminded?: boolean;
}

/** Ends the lease with an outcome. @returns false when the lease was lost: nothing was written then */
export async function releaseAction(tx: Tx, id: string, fence: number, release: Release): Promise<boolean> {
  const result = await tx
    .updateTable('action')
    .set((eb) => ({
      state: release.state,
      attempts: eb('attempts', '+', release.counts ? 1 : 0),
      lease_owner: null,
      lease_until: null,
      due_at: release.dueMs === null ? null : sql<Date>`now() + make_interval(secs => ${release.dueMs / 1000})`,
      last_error: release.error,
      finished_at: release.dueMs === null ? sql<Date>`now()` : null,
      ...(release.after === undefined ? {} : { after: JSON.stringify(release.after) }),
      ...(release.reminded === true ? { reminded_at: sql<Date>`now()` } : {}),
    }))
    .where('id', '=', id)
    .where('fence', '=', fence)
    .where('state', '=', 'executing')
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Ends an action that nobody has begun to execute. */
export async function dropAction(tx: Tx, id: string, state: 'superseded' | 'refused', reason: string): Promise<void> {
  await tx
    .updateTable('action')
    .set({ state, due_at: null, last_error: reason, finished_at: sql<Date>`now()` })
    .where('id', '=', id)
    .execute();
}

/**
 * After an action was tried: the next stage of its account need not wait for its time any longer, once nothing of this
 * stage is untried. The time itself is the promise that removing access never waits long for a hand-over.
 */
export async function advanceStage(tx: Tx, planId: string, account: string): Promise<void> {
  // Of two that end at the same moment neither sees the other's end, and nobody would advance. The plan's row is no
  // place to queue: whoever claims an action locks that first.
  await sql`select pg_advisory_xact_lock(hashtextextended(${planId}::text, 0))`.execute(tx);
  await tx
    .updateTable('action')
    .set({ due_at: sql<Date>`now()` })
    .where('plan_id', '=', planId)
    .where('account', '=', account)
    .where('stage', '>', 0)
    .where('state', '=', 'ready')
    .where('round', '=', 0)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('action as earlier')
            .select('earlier.id')
            .where('earlier.plan_id', '=', planId)
            .where('earlier.account', '=', account)
            .where('earlier.stage', '=', 0)
            .where('earlier.state', 'in', ['ready', 'executing', 'unknown'])
            .where('earlier.attempts', '=', 0),
        ),
      ),
    )
    .execute();
}

/** What SendGrid showed of the access that Sendoff gave last, newest first of each teammate. */
export async function appliedAccess(
  db: Db,
  targets: { account: string; username: string }[],
): Promise<{ account: string; username: string; persona: Persona | null; shown: Access }[]> {
  if (targets.length === 0) return [];
  const rows = await db
    .selectFrom('action')
    .distinctOn(['account', 'target'])
    .select(['account', 'target', 'draft', 'after'])
    .where('state', '=', 'done')
    .where('kind', 'in', ['rescope', 'provision'])
    .where((eb) => eb.or(targets.map((t) => eb.and([eb('account', '=', t.account), eb('target', '=', t.username)]))))
    .orderBy('account')
    .orderBy('target')
    .orderBy('seq', 'desc')
    .execute();
  return rows.flatMap(({ account, target, draft, after }) =>
    after !== null && 'admin' in after
      ? [{ account, username: target, persona: 'persona' in draft ? draft.persona : null, shown: after }]
      : [],
  );
}

/** One action as `actions list` and the API show it. */
export interface ActionItem {
  id: string;
  planId: string;
  state: ActionState;
  kind: ActionKind;
  footprint: FootprintKind;
  account: string;
  /** null: in the parent. */
  subuser: string | null;
  target: string;
  /** What the target is called, where its id says nothing. */
  label: string | null;
  /** Who receives it, where something is handed over. */
  to: string | null;
  person: { id: string; email: string | null };
  reason: string;
  attempts: number;
  lastError: string | null;
  before: Snapshot | null;
  after: Snapshot | null;
  createdAt: string;
  finishedAt: string | null;
}

/** Every field narrows. */
export interface ActionFilter {
  state?: ActionState;
  account?: string;
  personId?: string;
}

/** Newest first. */
export async function listActions(db: Db, query: ListQuery & ActionFilter): Promise<ListPage<ActionItem>> {
  const rows = await selectItems(db)
    .$if(query.personId !== undefined, (qb) => qb.where('action.person_id', '=', query.personId as string))
    .$if(query.state !== undefined, (qb) => qb.where(only('action.state', query.state)).orderBy('action.state', 'desc'))
    .$if(query.account !== undefined, (qb) =>
      qb.where(only('action.account', query.account)).orderBy('action.account', 'desc'),
    )
    .$if(query.before !== undefined, (qb) => qb.where(seqBefore('action.seq', query.before)))
    .orderBy('action.seq', 'desc')
    .limit(query.limit + 1)
    .execute();
  return pageOf(rows, query.limit, toItem);
}

/** The actions of these plans, in the plans' own order. */
export async function actionItems(db: Db, planIds: string[]): Promise<ActionItem[]> {
  if (planIds.length === 0) return [];
  const rows = await selectItems(db).where('action.plan_id', 'in', planIds).orderBy('action.seq').execute();
  return rows.map(toItem);
}

function selectItems(db: Db) {
  return db
    .selectFrom('action')
    .innerJoin('person', 'person.id', 'action.person_id')
    .selectAll('action')
    .select('person.emails');
}

type ItemRow = Awaited<ReturnType<ReturnType<typeof selectItems>['executeTakeFirstOrThrow']>>;

function toItem(row: ItemRow): ActionItem {
  return {
    id: row.id,
    planId: row.plan_id,
    state: row.state,
    kind: row.kind,
    footprint: row.footprint,
    account: row.account,
    subuser: row.subuser === '' ? null : row.subuser,
    target: row.target,
    label: 'label' in row.draft ? row.draft.label : null,
    to: heirIn(row.draft),
    person: { id: row.person_id, email: row.emails[0] ?? null },
    reason: row.draft.reason,
    attempts: row.attempts,
    lastError: row.last_error,
    before: row.before,
    after: row.after,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}

function leaseEnd() {
  return sql<Date>`now() + make_interval(secs => ${leaseSeconds})`;
}
