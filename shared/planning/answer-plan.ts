import { nameOfActor } from '#shared/access/roles.js';
import { appendAudit } from '#shared/audit/append.js';
import { SendoffError } from '#shared/errors.js';
import { isProposed } from '#shared/lifecycle/gate.js';
import type { Policy } from '#shared/lifecycle/types.js';
import type { Db } from '#shared/store/database.js';
import { type Decision, recordDecision } from '#shared/store/decisions.js';
import { inboxEvent, reopenEvent } from '#shared/store/inbox.js';
import { orderedBy } from '#shared/store/operator-events.js';
import { answerProposal, sourcePrefix, standingOrder } from '#shared/store/orders.js';
import { rememberLeaving } from '#shared/store/people.js';
import { dropHeld, lockPlan, rejectedByHuman, rejectPlan, releaseHeld } from '#shared/store/plans.js';

export interface Answer extends Decision {
  planId: string;
  /** Of the held changes that were shown: another set is not what was answered. */
  setHash: string;
  reason: string | null;
}

/**
 * A human's answer to a held plan: exactly what was shown goes, or is left undone until the facts change.
 * @throws SendoffError PLAN_NOT_HELD, PLAN_CHANGED, PLAN_EXPIRED, NOT_AN_APPROVER, SAME_PERSON
 */
export async function answerPlan(db: Db, policy: Policy, answer: Answer): Promise<void> {
  const { planId, setHash, by, reason } = answer;
  await db.transaction().execute(async (tx) => {
    const plan = await lockPlan(tx, planId);
    if (plan === null) throw refused('NOT_FOUND', `there is no plan ${planId}`, 'sendoff plans list --state held');
    if (plan.state !== 'held' || plan.heldActions === 0) {
      throw refused(
        'PLAN_NOT_HELD',
        `the plan is ${plan.state}: nothing of it waits for an answer`,
        `sendoff plans show ${planId}`,
      );
    }
    if (plan.setHash !== setHash) {
      throw refused('PLAN_CHANGED', 'what is held is not what was shown', `look again: sendoff plans show ${planId}`);
    }
    if (plan.expired) {
      throw refused(
        'PLAN_EXPIRED',
        'the plan waited too long for an answer',
        'plan the person anew: sendoff events replay',
      );
    }
    const event = await inboxEvent(tx, plan.eventId);
    const proposed = isProposed(plan);
    const order = await standingOrder(tx, plan.emails, proposed ? 'all' : 'none');
    // What this plan came of counts too: a return that somebody ordered is no order against the person.
    const askers = [order?.by ?? null, await orderedBy(tx, plan.eventId)].filter((one) => one !== null);
    assertMayAnswer(policy, answer, askers, proposed);
    await recordDecision(tx, {
      planId,
      personId: plan.personId,
      setHash,
      answer: answer.answer,
      by,
      reason,
      expireMs: answer.answer === 'approved' ? policy.approvals.expireMs : null,
    });
    if (proposed) {
      await answerProposal(tx, plan.emails, answer.answer === 'approved', by);
      // Only now do they leave: the grace period begins.
      if (answer.answer === 'approved') await rememberLeaving(tx, plan.personId, true);
    }
    if (answer.answer === 'approved') await releaseHeld(tx, planId);
    else {
      await dropHeld(tx, [planId], rejectedByHuman);
      await rejectPlan(tx, planId);
      // What came meanwhile was planned with the source's proposal, and is due without it.
      if (proposed && order?.by.startsWith(sourcePrefix)) await reopenEvent(tx, plan.eventId, `rejected by ${by}`);
    }
    await appendAudit(tx, {
      kind: answer.answer === 'approved' ? 'plan.approved' : 'plan.rejected',
      person: { id: plan.personId, email: plan.emails[0] ?? null },
      cause: event === null ? null : { source: event.source, eventIds: [event.eventId], plan: planId },
      actor: by,
      detail: { setHash, changes: plan.heldActions },
      ...(reason === null ? {} : { personal: { reason } }),
    });
  });
}

/** @param askers who ordered or proposed it; none: the directory asks */
function assertMayAnswer(policy: Policy, { answer, by }: Answer, askers: string[], proposed: boolean): void {
  const { approvers } = policy.approvals;
  const name = nameOfActor(by);
  if (approvers.length > 0 && !approvers.includes(name)) {
    throw refused(
      'NOT_AN_APPROVER',
      `${name} is not among approvals.approvers`,
      `one of them has to answer: ${approvers.join(', ')}`,
    );
  }
  if (answer === 'rejected') return;
  if (approvers.length > 1 && askers.some((one) => nameOfActor(one) === name)) {
    const what = proposed ? 'proposed' : 'ordered';
    throw refused('SAME_PERSON', `${name} ${what} this and can't approve it as well`, 'another approver has to');
  }
  // A proposal is there to be looked at by somebody else, however few approvers there are.
  if (proposed && askers.includes(by)) {
    throw refused(
      'SAME_PERSON',
      `${by} proposed this and can't approve it as well`,
      'somebody else has to; give an assistant a token of its own: sendoff tokens create assistant --role operator',
    );
  }
}

function refused(code: string, message: string, remedy: string): SendoffError {
  return new SendoffError(message, { code, blame: 'remote', remedy });
}
