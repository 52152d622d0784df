import { createHash } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import type { Admins, Gated, Removals } from '#shared/lifecycle/gate.js';
import type {
  ActionDraft,
  ActionState,
  Guard,
  GuardRule,
  PlanDraft,
  PlanState,
  Todo,
  Unread,
  Verdict,
} from '#shared/lifecycle/types.js';
import { currentTraceparent } from '#shared/telemetry/trace.js';
import { type ActionItem, actionItems } from './actions.js';
import type { Db } from './database.js';
import { type ListPage, type ListQuery, only, pageOf, seqBefore } from './lists.js';
import type { Schema } from './schema.js';

type Tx = Transaction<Schema>;

const openPlanStates: PlanState[] = ['planned', 'held', 'approved', 'applying', 'waiting'];
const notStarted: ActionState[] = ['ready', 'waiting'];

/**
 * Locks the accounts' rows until the transaction ends. What the gate counts and what it then lets pass is one step for
 * everybody: two plans never both count the same last admin, and twenty never take the same last place under a limit.
 */
export async function lockAccounts(tx: Tx, accounts: string[]): Promise<void> {
  if (accounts.length === 0) return;
  await tx.selectFrom('account').select('name').where('name', 'in', accounts).orderBy('name').forUpdate().execute();
}

const underWay: ActionState[] = ['ready', 'executing', 'unknown'];

/** Usernames whom actions of any plan are about to remove or restrict, or did since the rosters were read. */
export async function leavingAdmins(
  db: Db,
  accounts: string[],
  rostersReadAt: Date,
): Promise<Pick<Admins, 'account' | 'leaving'>[]> {
  if (accounts.length === 0) return [];
  const rows = await db
    .selectFrom('action')
    .select(['account', 'target'])
    .where('account', 'in', accounts)
    .where((eb) =>
      eb.or([eb('state', 'in', underWay), eb.and([eb('state', '=', 'done'), eb('finished_at', '>=', rostersReadAt)])]),
    )
    .where('kind', 'in', ['deprovision', 'restrict', 'rescope', 'retire'])
    .where('footprint', '=', 'teammate')
    .where('subuser', '=', '')
    .execute();
  return accounts.map((account) => ({
    account,
    leaving: rows.filter((row) => row.account === account).map((row) => row.target),
  }));
}

/** How many others lost access within the window, or are about to: the ledger itself is the counter. */
export async function removalsOfOthers(
  db: Db,
  accounts: string[],
  personId: string,
  windowMs: number,
): Promise<Pick<Removals, 'account' | 'people'>[]> {
  if (accounts.length === 0) return [];
  const since = sql<Date>`now() - make_interval(secs => ${windowMs / 1000})`;
  const removals = () =>
    db
      .selectFrom('action')
      .select(['account', 'person_id'])
      .where('account', 'in', accounts)
      .where('person_id', '!=', personId)
      .where('kind', 'in', ['deprovision', 'restrict'])
      .where('footprint', '!=', 'access-request');
  // One statement, one moment: who ends between two would be counted in neither.
  const rows = await removals()
    .where('state', '=', 'done')
    .where('finished_at', '>', since)
    .union(removals().where('state', 'in', underWay))
    .execute();
  return accounts.map((account) => ({
    account,
    people: new Set(rows.filter((row) => row.account === account).map((row) => row.person_id)).size,
  }));
}

/** Older plans of the person that did not finish give way, and what failed in them is no longer open; what is being executed right now is left to finish. */
export async function supersedePlans(tx: Tx, personId: string): Promise<{ id: string; holds: Guard[] }[]> {
  const plans = await tx
    .updateTable('plan')
    .set({ state: 'superseded', due_at: null })
    .where('person_id', '=', personId)
    .where('state', 'in', openPlanStates)
    .returning(['id', 'holds'])
    .execute();
  const ids = plans.map((plan) => plan.id);
  if (ids.length > 0) {
    await tx
      .updateTable('action')
      .set({ state: 'superseded', due_at: null, finished_at: sql<Date>`now()` })
      .where('plan_id', 'in', ids)
      .where('state', 'in', [...notStarted, 'failed'])
      .execute();
  }
  return plans;
}

/** Is something being done for this person right now? */
export async function isBeingApplied(db: Db, personId: string): Promise<boolean> {
  const row = await db
    .selectFrom('plan')
    .select('id')
    .where('person_id', '=', personId)
    .where('state', '=', 'applying')
    .executeTakeFirst();
  return row !== undefined;
}

/** Was the plan superseded by a newer one? */
export async function hasGivenWay(db: Db | Tx, id: string): Promise<boolean> {
  const plan = await db.selectFrom('plan').select('state').where('id', '=', id).executeTakeFirst();
  return plan?.state === 'superseded';
}

export interface NewPlan {
  personId: string;
  eventId: string;
  personVersion: number;
  evidenceAt: Date;
  draft: PlanDraft;
  gated: Gated;
  /** How long a held plan waits for an answer. */
  expireMs: number;
}

/** Taking access away waits for hand-overs at most so long. */
const stageWaitSeconds = 120;

/** Stores a plan with its actions; those that may go are due at once. @returns the plan's id */
export async function storePlan(
  tx: Tx,
  { personId, eventId, personVersion, evidenceAt, draft, gated, expireMs }: NewPlan,
): Promise<string> {
  const held = heldActions(draft, gated);
  const { id } = await tx
    .insertInto('plan')
    .values({
      person_id: personId,
      event_id: eventId,
      person_version: personVersion,
      verdict: draft.verdict,
      reasons: JSON.stringify(draft.reasons),
      refused: JSON.stringify(draft.refused),
      holds: JSON.stringify(gated.holds),
      unread: JSON.stringify(draft.unread),
      todos: JSON.stringify(draft.todos),
      state: gated.state,
      set_hash: held.length > 0 || gated.state === 'held' ? setHash(held, gated.holds) : null,
      hold_expires_at: gated.state === 'held' ? sql<Date>`now() + make_interval(secs => ${expireMs / 1000})` : null,
      evidence_at: evidenceAt,
      heard_at: sql<Date>`(select received_at from inbox where id = ${eventId})`,
      due_at: firstLook(draft, gated),
      settled_at: gated.state === 'settled' ? sql<Date>`now()` : null,
      last_error: null,
      traceparent: currentTraceparent(),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  if (draft.actions.length > 0) {
    await tx
      .insertInto('action')
      .values(
        draft.actions.map((action, index) => ({
          plan_id: id,
          person_id: personId,
          kind: action.kind,
          footprint: action.footprint,
          account: action.account,
          subuser: action.subuser ?? '',
          target: action.target,
          stage: stageOf(action),
          draft: JSON.stringify(action),
          state: gated.passages[index] === 'go' ? ('ready' as const) : ('waiting' as const),
          due_at: gated.passages[index] === 'go' ? dueFrom(action, draft.actions) : null,
          last_error: null,
          lease_owner: null,
        })),
      )
      .execute();
  }
  return id;
}

/** The last action makes a plan due; this is for the case that nobody is left to do so, or that something was unread. */
function firstLook(draft: PlanDraft, gated: Gated) {
  if (gated.state === 'waiting' && draft.nextAt !== null && draft.unread.length === 0) return draft.nextAt;
  const waits = draft.unread.flatMap(({ retryMs }) => (retryMs === null ? [] : [retryMs]));
  // What waits for an answer keeps nobody from reading the rest.
  const isReread = gated.state === 'waiting' || (gated.state === 'held' && waits.length > 0);
  if (!gated.passages.includes('go') && !isReread) return null;
  return sql<Date>`now() + make_interval(secs => ${Math.min(30_000, ...waits) / 1_000})`;
}

/** What is handed over goes first: once the person is gone, so is what SendGrid would have told about them. */
function stageOf({ kind, footprint }: ActionDraft): number {
  return kind === 'retire' || (kind === 'deprovision' && footprint !== 'access-request') ? 1 : 0;
}

/** See `advanceStage`. */
function dueFrom(action: ActionDraft, all: ActionDraft[]) {
  const waits = stageOf(action) > 0 && all.some((one) => one.account === action.account && stageOf(one) === 0);
  return waits ? sql<Date>`now() + make_interval(secs => ${stageWaitSeconds})` : sql<Date>`now()`;
}

export function heldActions(
  { actions }: Pick<PlanDraft, 'actions'>,
  { passages }: Pick<Gated, 'passages'>,
): ActionDraft[] {
  return actions.filter((_, index) => passages[index] === 'hold');
}

/** What an answer must have been shown: whether it is about the right person, and who would be left. */
const shownRules: readonly GuardRule[] = ['ambiguous', 'last-admin'];

/** What an approval must name: exactly these changes and no others, with exactly these doubts about them. */
export function setHash(actions: ActionDraft[], holds: readonly Guard[]): string {
  const set = actions
    .map((action) => {
      const { kind, footprint, account, subuser, target } = action;
      return JSON.stringify([account, subuser, footprint, target, kind, detailOf(action)]);
    })
    .sort();
  const accounts = new Set(actions.map(({ account }) => account));
  const doubts = holds
    .filter(({ rule, account }) => shownRules.includes(rule) && accounts.has(account))
    .map(({ rule, account, target }) => JSON.stringify([rule, account, target]))
    .sort();
  const shown = doubts.length === 0 ? set : [set, doubts];
  return createHash('sha256').update(JSON.stringify(shown)).digest('hex');
}

/** What is to be there afterwards: the same footprint may be changed into one thing or another. */
function detailOf(action: ActionDraft): unknown {
  if (action.kind === 'rename') return [action.firstName, action.lastName];
  if (action.kind === 'retire') return [action.heir, action.wanted];
  return 'wanted' in action ? action.wanted : 'to' in action ? action.to : null;
}

export interface StoredPlan {
  id: string;
  personId: string;
  eventId: string;
  state: PlanState;
  verdict: Verdict;
  holds: Guard[];
  refused: Guard[];
  unread: Unread[];
  evidenceAt: Date;
  settledAt: Date | null;
  recheckAt: Date | null;
}

export async function planById(db: Db | Tx, id: string): Promise<StoredPlan | null> {
  const row = await db.selectFrom('plan').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) return null;
  return {
    id: row.id,
    personId: row.person_id,
    eventId: row.event_id,
    state: row.state,
    verdict: row.verdict,
    holds: row.holds,
    refused: row.refused,
    unread: row.unread,
    evidenceAt: row.evidence_at,
    settledAt: row.settled_at,
    recheckAt: row.recheck_at,
  };
}

/** Moves a plan on. `due` in ms from now; null: nothing more is due. @returns false when the plan had been superseded */
export async function movePlan(
  tx: Db | Tx,
  id: string,
  state: PlanState,
  dueMs: number | null,
  seen?: Pick<PlanDraft, 'unread' | 'refused'>,
): Promise<boolean> {
  const result = await tx
    .updateTable('plan')
    .set({
      state,
      due_at: dueMs === null ? null : sql<Date>`now() + make_interval(secs => ${dueMs / 1000})`,
      ...(seen === undefined ? {} : { unread: JSON.stringify(seen.unread), refused: JSON.stringify(seen.refused) }),
      ...(state === 'settled' ? { settled_at: sql<Date>`now()`, last_error: null } : {}),
    })
    .where('id', '=', id)
    .where('state', 'in', openPlanStates)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** A settled plan is looked at once more in `afterMs`. */
export async function scheduleRecheck(tx: Tx, id: string, afterMs: number): Promise<void> {
  const at = sql<Date>`now() + make_interval(secs => ${afterMs / 1000})`;
  await tx.updateTable('plan').set({ recheck_at: at, due_at: at }).where('id', '=', id).execute();
}

/** The second look at a settled plan was taken. */
export async function endRecheck(db: Db | Tx, id: string): Promise<void> {
  await db.updateTable('plan').set({ recheck_at: null, due_at: null }).where('id', '=', id).execute();
}

/** Held plans that nobody answered in time: their held actions are dropped. @returns those plans */
export async function expireHolds(
  tx: Tx,
): Promise<{ id: string; personId: string; eventId: string; holds: Guard[] }[]> {
  const plans = await tx
    .updateTable('plan')
    .set({ state: 'expired', due_at: null })
    .where('state', '=', 'held')
    .where('hold_expires_at', '<', sql<Date>`now()`)
    .returning(['id', 'person_id', 'event_id', 'holds'])
    .execute();
  await dropHeld(
    tx,
    plans.map((plan) => plan.id),
    'nobody answered in time',
  );
  return plans.map(({ id, person_id, event_id, holds }) => ({ id, personId: person_id, eventId: event_id, holds }));
}

/** Why an action that a human said no to was dropped. */
export const rejectedByHuman = 'rejected';

/** Ends the held actions of plans. */
export async function dropHeld(tx: Tx, planIds: string[], why: string): Promise<void> {
  if (planIds.length === 0) return;
  await tx
    .updateTable('action')
    .set({ state: 'superseded', last_error: why, finished_at: sql<Date>`now()` })
    .where('plan_id', 'in', planIds)
    .where('state', '=', 'waiting')
    .where('due_at', 'is', null)
    .execute();
}

export interface LockedPlan {
  state: PlanState;
  personId: string;
  eventId: string;
  emails: string[];
  setHash: string | null;
  holds: Guard[];
  heldActions: number;
  expired: boolean;
}

/** A plan about to be answered, locked until the transaction ends. */
export async function lockPlan(tx: Tx, id: string): Promise<LockedPlan | null> {
  const row = await tx
    .selectFrom('plan')
    .innerJoin('person', 'person.id', 'plan.person_id')
    .select(['plan.state', 'plan.person_id', 'plan.event_id', 'plan.set_hash', 'plan.holds', 'person.emails'])
    .select(sql<boolean>`coalesce(plan.hold_expires_at < now(), false)`.as('expired'))
    .select(
      sql<number>`(select count(*) from action where plan_id = plan.id and action.state = 'waiting' and action.due_at is null)::int`.as(
        'held_actions',
      ),
    )
    .where('plan.id', '=', id)
    .forUpdate('plan')
    .executeTakeFirst();
  if (row === undefined) return null;
  const { state, emails, holds, expired } = row;
  return {
    state,
    emails,
    holds,
    expired,
    personId: row.person_id,
    eventId: row.event_id,
    setHash: row.set_hash,
    heldActions: row.held_actions,
  };
}

/** A plan is rejected; what of it was under way goes on and settles it. */
export async function rejectPlan(tx: Tx, id: string): Promise<void> {
  const open = await tx
    .selectFrom('action')
    .select('id')
    .where('plan_id', '=', id)
    .where('state', 'in', ['ready', 'executing', 'unknown', 'waiting'])
    .executeTakeFirst();
  await tx
    .updateTable('plan')
    .set({ state: open === undefined ? 'rejected' : 'applying', hold_expires_at: null, due_at: null })
    .where('id', '=', id)
    .execute();
}

/** Lets the held actions of a plan go, stage by stage. */
export async function releaseHeld(tx: Tx, id: string): Promise<void> {
  await tx
    .updateTable('plan')
    .set({ state: 'applying', due_at: sql<Date>`now() + interval '30 seconds'`, hold_expires_at: null })
    .where('id', '=', id)
    .execute();
  await sql`
    update action set state = 'ready',
      due_at = case when stage > 0 and exists (
          select from action earlier where earlier.plan_id = action.plan_id and earlier.account = action.account
            and earlier.stage = 0 and earlier.state in ('ready', 'waiting', 'executing', 'unknown'))
        then now() + make_interval(secs => ${stageWaitSeconds}) else now() end
    where plan_id = ${id} and state = 'waiting' and due_at is null`.execute(tx);
}

/** After an action has ended: the plan is due once none of its actions is under way. Serialised by the plan's row. */
export async function planAfterAction(tx: Tx, id: string): Promise<void> {
  await tx.selectFrom('plan').select('id').where('id', '=', id).forUpdate().execute();
  await tx
    .updateTable('plan')
    .set({ due_at: sql<Date>`now()` })
    .where('id', '=', id)
    .where('state', 'in', openPlanStates)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('action')
            .select('id')
            .where('plan_id', '=', id)
            .where('state', 'in', ['ready', 'executing', 'unknown']),
        ),
      ),
    )
    .execute();
}

/** Why the run that made an event's last plan was held whole; null: the event was never planned. */
export async function runGuardsOf(db: Db, eventId: string): Promise<Guard[] | null> {
  const row = await db
    .selectFrom('plan')
    .select('holds')
    .where('event_id', '=', eventId)
    .orderBy('seq', 'desc')
    .executeTakeFirst();
  return row === undefined
    ? null
    : row.holds.filter(({ rule }) => rule === 'run-limit' || rule === 'move-limit' || rule === 'snapshot');
}

/**
 * A plan of this person that is about one of these footprints and still says what will or would be done. What somebody
 * only proposed keeps nobody from doing what is due.
 */
export async function openPlanAbout(
  db: Db,
  personId: string,
  footprints: { account: string; subuser: string | null; target: string }[],
): Promise<{ id: string; state: PlanState } | null> {
  const plan = await db
    .selectFrom('plan')
    .select(['id', 'state'])
    .where('person_id', '=', personId)
    .where('state', 'in', ['planned', 'held', 'rejected', 'applying', 'waiting'])
    .where(sql<boolean>`not (state in ('held', 'rejected') and holds @> '[{"rule":"proposed"}]')`)
    .where('created_at', '>', sql<Date>`now() - interval '1 day'`)
    .orderBy('seq', 'desc')
    .executeTakeFirst();
  if (plan === undefined) return null;
  const about = await db
    .selectFrom('action')
    .select('id')
    .where('plan_id', '=', plan.id)
    .where((eb) =>
      eb.or(
        footprints.map((one) =>
          eb.and([
            eb('account', '=', one.account),
            eb('subuser', '=', one.subuser ?? ''),
            eb.or([eb('target', '=', one.target), eb(sql<string>`draft ->> 'replaces'`, '=', one.target)]),
          ]),
        ),
      ),
    )
    .executeTakeFirst();
  return about === undefined ? null : plan;
}

/** One plan as `plan`, `plans list|show` and the API show it. */
export interface PlanItem {
  id: string;
  state: PlanState;
  verdict: Verdict;
  person: { id: string; email: string | null };
  cause: { source: string; eventId: string; event: string };
  reasons: string[];
  actions: ActionItem[];
  refused: Guard[];
  notRead: Unread[];
  /** What no API can change. */
  todos: Todo[];
  hold: { reasons: string[]; setHash: string | null; expiresAt: string | null } | null;
  createdAt: string;
  settledAt: string | null;
  lastError: string | null;
}

/** Newest first. */
export async function listPlans(
  db: Db,
  query: ListQuery & {
    state?: PlanState;
    personId?: string /** Only the newest of whoever is to lose access. */;
    leaving?: boolean;
  },
): Promise<ListPage<PlanItem>> {
  const rows = await selectItems(db)
    .$if(query.state !== undefined, (qb) => qb.where(only('plan.state', query.state)).orderBy('plan.state', 'desc'))
    .$if(query.personId !== undefined, (qb) => qb.where('plan.person_id', '=', query.personId as string))
    .$if(query.leaving === true, (qb) =>
      qb
        .where('plan.verdict', '<>', 'keep')
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('plan as newer')
                .select('newer.id')
                .whereRef('newer.person_id', '=', 'plan.person_id')
                .whereRef('newer.seq', '>', 'plan.seq'),
            ),
          ),
        ),
    )
    .$if(query.before !== undefined, (qb) => qb.where(seqBefore('plan.seq', query.before)))
    .orderBy('plan.seq', 'desc')
    .limit(query.limit + 1)
    .execute();
  const actions = await actionItems(
    db,
    rows.map((row) => row.id),
  );
  return pageOf(rows, query.limit, (row) => toItem(row, actions));
}

export async function showPlan(db: Db, id: string): Promise<PlanItem | null> {
  const row = await selectItems(db).where('plan.id', '=', id).executeTakeFirst();
  return row === undefined ? null : toItem(row, await actionItems(db, [row.id]));
}

function selectItems(db: Db) {
  return db
    .selectFrom('plan')
    .innerJoin('person', 'person.id', 'plan.person_id')
    .innerJoin('inbox', 'inbox.id', 'plan.event_id')
    .selectAll('plan')
    .select(['person.emails', 'inbox.source', 'inbox.event_id as sender_event_id']);
}

type ItemRow = Awaited<ReturnType<ReturnType<typeof selectItems>['executeTakeFirstOrThrow']>>;

function toItem(row: ItemRow, actions: ActionItem[]): PlanItem {
  return {
    id: row.id,
    state: row.state,
    verdict: row.verdict,
    person: { id: row.person_id, email: row.emails[0] ?? null },
    cause: { source: row.source, eventId: row.sender_event_id, event: row.event_id },
    reasons: row.reasons,
    actions: actions.filter((action) => action.planId === row.id),
    refused: row.refused,
    notRead: row.unread,
    todos: row.todos,
    hold:
      row.state === 'held'
        ? {
            reasons: [...row.holds, ...row.refused].map(guardText),
            setHash: row.set_hash,
            expiresAt: row.hold_expires_at?.toISOString() ?? null,
          }
        : null,
    createdAt: row.created_at.toISOString(),
    settledAt: row.settled_at?.toISOString() ?? null,
    lastError: row.last_error,
  };
}

/** A guard as one line for people. */
export function guardText({ rule, account, target, detail }: Guard): string {
  return `${rule}: ${target === null ? account : `${target} in ${account}`}: ${detail}`;
}
