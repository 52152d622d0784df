import type { Transaction } from 'kysely';
import { appendAudit } from '#shared/audit/append.js';
import { failpoint } from '#shared/failpoint.js';
import { isProposed, modeOf } from '#shared/lifecycle/gate.js';
import { plan } from '#shared/lifecycle/plan.js';
import type { Situation } from '#shared/lifecycle/situation.js';
import {
  type ActionDraft,
  type ActionState,
  isRemoval,
  type PlanDraft,
  type PlanState,
} from '#shared/lifecycle/types.js';
import { readSituation } from '#shared/planning/situation.js';
import { type ActionItem, actionItems } from '#shared/store/actions.js';
import { databaseNow } from '#shared/store/database.js';
import { type InboxEvent, inboxEvent, reopenEvent, timesPlanned } from '#shared/store/inbox.js';
import { operatorSource, restoreOrder } from '#shared/store/operator-events.js';
import { type PersonRow, personById } from '#shared/store/people.js';
import {
  endRecheck,
  movePlan,
  planById,
  rejectedByHuman,
  type StoredPlan,
  scheduleRecheck,
} from '#shared/store/plans.js';
import type { Schema } from '#shared/store/schema.js';
import { inSpan } from '#shared/telemetry/trace.js';
import type { WorkContext } from '../context.js';
import type { Handler } from '../process-job.js';

const unfinished: ActionState[] = ['ready', 'executing', 'unknown'];
/** What could not be read keeps a plan from settling so long; then it settles, and says what was not read. */
const rereadForMs = 10 * 60_000;
/** After that it is asked for so long, ever and again. */
const lookForMs = 24 * 3_600_000;

/** A plan is settled when everything was done and, planned again from fresh lists, nothing is left to do. */
export const settlePerson: Handler = {
  async run(context, planId) {
    const { db } = context;
    const stored = await planById(db, planId);
    if (stored === null) return;
    if (stored.state === 'settled') return recheck(context, stored);
    if (stored.state !== 'applying' && stored.state !== 'waiting' && stored.state !== 'held') return;
    const actions = await actionItems(db, [planId]);
    // A person has to look or to answer; retrying the failed job makes the plan due again, and so does the answer.
    const failed = actions.some((action) => action.state === 'failed');
    const stuck = failed || stored.state === 'held';
    const state = failed && stored.state !== 'held' ? 'waiting' : stored.state;
    // Meanwhile what was not read is: the person may still be there. Actions under way make the plan due when they end.
    const mustReread = stored.unread.some(({ retryMs }) => retryMs !== null);
    if ((stuck && !mustReread) || actions.some((action) => unfinished.includes(action.state))) {
      await movePlan(db, planId, state, null);
      return;
    }
    await settle(context, stored, actions, stuck ? state : null);
  },
  async giveUp({ db }, planId) {
    await movePlan(db, planId, 'waiting', null);
  },
};

/** @param stuck the state in which the plan waits for a person, whatever is read */
async function settle(
  context: WorkContext,
  stored: StoredPlan,
  actions: ActionItem[],
  stuck: PlanState | null,
): Promise<void> {
  const { db, policy } = context;
  const event = await inboxEvent(db, stored.eventId);
  if (event === null) return;
  const person = await personById(db, stored.personId);
  const isAsked = stored.state === 'held' && isProposed(stored);
  const situation = await situationAfter(context, event, person, actions, { proposal: isAsked });
  const left = plan(situation, policy);
  const undone = left.actions.filter(
    (action) => modeOf(policy, action.account) !== 'observe' && !isAnswered(action, actions),
  );
  if (undone.length > 0) {
    const what = `something is left: ${undone.map((a) => `${a.kind} in ${a.account}`).join(', ')}`;
    await reopenEvent(db, event.id, what, replanDelayMs(await timesPlanned(db, event.id)));
    context.nudge();
    return;
  }
  const rereads = left.unread.flatMap(({ retryMs }) => (retryMs === null ? [] : [retryMs]));
  const isYoung = situation.now.getTime() - event.receivedAt.getTime() < rereadForMs;
  const ownLists = left.unread.some(({ part }) => part === null);
  if (rereads.length > 0 && (isYoung || ownLists)) {
    await movePlan(db, stored.id, stuck ?? 'waiting', Math.min(...rereads), left);
    return;
  }
  if (stuck !== null) {
    await movePlan(db, stored.id, stuck, null, left);
    return;
  }
  if (left.nextAt !== null) {
    await movePlan(db, stored.id, 'waiting', Math.max(0, left.nextAt.getTime() - situation.now.getTime()), left);
    return;
  }
  // Somebody outside has to do their part first; their action makes the plan due again.
  if (actions.some((action) => action.state === 'waiting' && modeOf(policy, action.account) !== 'observe')) {
    await movePlan(db, stored.id, 'waiting', null, left);
    return;
  }
  await conclude(context, stored, event, situation, left, actions);
}

/** At once for what came up meanwhile; ever more slowly for what every plan leaves behind. */
function replanDelayMs(times: number): number {
  return times <= 2 ? 0 : Math.min(600_000, 1_000 * 2 ** Math.min(times - 2, 10));
}

async function conclude(
  { db, policy }: WorkContext,
  stored: StoredPlan,
  event: InboxEvent,
  { person, rosters }: Situation,
  left: PlanDraft,
  actions: ActionItem[],
): Promise<void> {
  const rejected = actions.some((action) => action.lastError === rejectedByHuman);
  const open = left.actions.length > 0 ? 'planned' : 'settled';
  const state = left.refused.length > 0 ? 'held' : rejected ? 'rejected' : open;
  const write = async (tx: Transaction<Schema>): Promise<void> => {
    const moved = await movePlan(tx, stored.id, state, null, left);
    if (!moved || state !== 'settled') return;
    await appendAudit(tx, {
      kind: 'person.settled',
      person: { id: person.id, email: person.emails[0] ?? null },
      cause: { source: event.source, eventIds: [event.eventId], plan: stored.id },
      actor: 'worker',
      detail: {
        verdict: left.verdict,
        accounts: rosters.map((roster) => roster.account).sort(),
        notRead: left.unread.map(({ account, part }) => ({ account, part })),
      },
    });
    const removed = actions.some(
      (action) => action.state === 'done' && (action.kind === 'deprovision' || action.kind === 'revoke'),
    );
    const mustLookAgain = removed || isUnread(left);
    if (mustLookAgain && policy.offboarding.recheckMs > 0)
      await scheduleRecheck(tx, stored.id, policy.offboarding.recheckMs);
    failpoint('settle.before_commit');
  };
  const told = { 'sendoff.verdict': left.verdict, 'sendoff.plan.state': state };
  await inSpan('conclude', told, () => db.transaction().execute(write));
}

/** Is something of a person who leaves not read that may be read later? */
function isUnread({ verdict, unread }: PlanDraft): boolean {
  return verdict !== 'keep' && unread.some(({ retryMs }) => retryMs !== null);
}

/**
 * Some minutes after a removal: has SendGrid let the person in again (JIT), shown a deletion, of a key too, that was none,
 * or shows now what could not be read then?
 */
async function recheck(context: WorkContext, stored: StoredPlan): Promise<void> {
  const { db, policy } = context;
  const event = await inboxEvent(db, stored.eventId);
  if (stored.recheckAt === null || event === null) return endRecheck(db, stored.id);
  const person = await personById(db, stored.personId);
  const actions = await actionItems(db, [stored.id]);
  const since = new Date(await databaseNow(db));
  const situation = await situationAfter(context, event, person, actions, { notBefore: since });
  const left = plan(situation, policy);
  const back = left.actions.filter((action) => modeOf(policy, action.account) !== 'observe');
  const isIn = back.some(isRemoval);
  const settledMs = situation.now.getTime() - (stored.settledAt ?? situation.now).getTime();
  await db.transaction().execute(async (tx) => {
    await endRecheck(tx, stored.id);
    if (back.length === 0) {
      if (isUnread(left) && settledMs < lookForMs) await scheduleRecheck(tx, stored.id, rereadForMs);
      return;
    }
    const why = isIn
      ? 'they are back: the identity provider still lets this person in'
      : `something of theirs is still there: ${[...new Set(back.map((one) => `${one.kind} ${one.footprint}`))].join(', ')}`;
    await appendAudit(tx, {
      kind: 'person.returned',
      person: { id: person.id, email: person.emails[0] ?? null },
      cause: { source: event.source, eventIds: [event.eventId], plan: stored.id },
      actor: 'worker',
      detail: { why, accounts: [...new Set(back.map(({ account }) => account))].sort() },
    });
    await reopenEvent(tx, event.id, why);
  });
  if (isIn) {
    context.log.warn({ plan: stored.id }, 'somebody who was removed is back: the identity provider still lets them in');
  }
  context.nudge();
}

/** The person's situation from lists that are newer than what was done. */
async function situationAfter(
  { db, surroundings }: WorkContext,
  event: InboxEvent,
  person: PersonRow,
  actions: ActionItem[],
  { notBefore = event.receivedAt, proposal = false }: { notBefore?: Date; proposal?: boolean } = {},
): Promise<Situation> {
  const finished = (of: (action: ActionItem) => boolean) =>
    Math.max(0, ...actions.filter((a) => of(a) && a.finishedAt !== null).map((a) => Date.parse(a.finishedAt ?? '')));
  const after = (ms: number) => new Date(Math.max(notBefore.getTime(), ms));
  return readSituation(surroundings, {
    person,
    now: new Date(await databaseNow(db)),
    eventType: event.type,
    named: true,
    ambiguousAddress: null,
    freshness: {
      teammatesSince: after(finished((a) => a.footprint === 'teammate' && a.subuser === null)),
      // Who is provisioned may have been invited.
      invitationsSince: after(
        finished((a) => (a.footprint === 'invitation' || a.kind === 'provision') && a.subuser === null),
      ),
      partsSince: new Date(
        Math.max(
          notBefore === event.receivedAt ? 0 : notBefore.getTime(),
          finished((a) => a.subuser !== null || (a.footprint !== 'teammate' && a.footprint !== 'invitation')),
        ),
      ),
      urgent: event.source === operatorSource,
    },
    planning: false,
    known: actions.flatMap(knownAccess),
    restoring: event.senderType === restoreOrder,
    proposals: proposal ? 'all' : 'none',
  });
}

/** Does a human have to see to this: to complete or to release it, to find out why it failed; or did one say no? */
function isAnswered(draft: ActionDraft, actions: ActionItem[]): boolean {
  return actions.some(
    (action) =>
      (action.state === 'waiting' || action.state === 'failed' || action.lastError === rejectedByHuman) &&
      action.kind === draft.kind &&
      action.footprint === draft.footprint &&
      action.account === draft.account &&
      action.subuser === draft.subuser &&
      action.target === draft.target,
  );
}

function knownAccess({ account, subuser, target, after }: ActionItem): Situation['known'] {
  return after === null || !('admin' in after) ? [] : [{ account, subuser, username: target, access: after }];
}
