import { appendAudit } from '#shared/audit/append.js';
import { WaitError } from '#shared/errors.js';
import { modeOf } from '#shared/lifecycle/gate.js';
import { isProtected } from '#shared/lifecycle/rules/untouchable.js';
import { type ActionDraft, type Policy, twilioAccount } from '#shared/lifecycle/types.js';
import { inSubuser } from '#shared/sendgrid/in-subuser.js';
import { isBreakerOpen } from '#shared/store/accounts.js';
import { type ActionRow, dropAction, isFinal, leaseAction, lockAction, lookAtLeaseEnd } from '#shared/store/actions.js';
import { reopenEvent } from '#shared/store/inbox.js';
import { personById } from '#shared/store/people.js';
import { planAfterAction, supersedePlans } from '#shared/store/plans.js';
import type { WorkContext } from '../context.js';
import type { Reach } from './action.js';
import { auditOf } from './audit-of.js';
import { assertNotStopped } from './stopped.js';

/** Older evidence than this is not acted upon: the person is planned anew (reliability.md §9, "Freshness"). */
const evidenceFreshMs = 15 * 60_000;

export interface Claim {
  row: ActionRow;
  fence: number;
  reach: Reach;
  /** An earlier attempt may have been applied: its outcome is not known. */
  inDoubt: boolean;
  /** false: only find out what became of the earlier attempt, and leave it at that. */
  mayAct: boolean;
}

type Decision = { kind: 'claim'; claim: Claim } | { kind: 'nothing' } | { kind: 'replanned' };

/**
 * Takes an action for this worker, after asking once more whether it may be done at all.
 * @returns null when there is nothing to do: it is finished, somebody else has it, or it may not be done
 * @throws WaitError while the account's breaker is open or another action works on the same footprint
 */
export async function claimAction(context: WorkContext, actionId: string): Promise<Claim | null> {
  let decision: Decision;
  try {
    decision = await context.db.transaction().execute((tx) => decide(context, tx, actionId));
  } catch (error) {
    if (!isOneAtATime(error)) throw error;
    throw new WaitError('another action is working on the same footprint', 1_000, {
      code: 'ACTION_BUSY',
      blame: 'remote',
    });
  }
  if (decision.kind === 'replanned') context.nudge();
  return decision.kind === 'claim' ? decision.claim : null;
}

async function decide(context: WorkContext, tx: Parameters<typeof lockAction>[0], actionId: string): Promise<Decision> {
  const row = await lockAction(tx, actionId);
  if (row === null || isFinal(row.state) || row.held) return { kind: 'nothing' };
  const inDoubt = row.state === 'executing' || row.state === 'unknown';
  if (inDoubt && row.leaseMsLeft > 0) {
    await lookAtLeaseEnd(tx, row.id);
    return { kind: 'nothing' };
  }

  const refusal = refusalNow(context.policy, row.draft, await personById(tx, row.personId));
  const reach = reachOf(context, row.draft);
  if (!inDoubt || reach === null) {
    if (row.planSuperseded) {
      await dropAction(tx, row.id, 'superseded', 'the plan gave way to a newer one');
      return { kind: 'nothing' };
    }
    if (refusal !== null || reach === null) {
      const why = refusal ?? 'the account is no longer in the configuration';
      await dropAction(tx, row.id, 'refused', why);
      await appendAudit(tx, { kind: 'action.refused', ...(await auditOf(tx, row)), detail: { why } });
      await planAfterAction(tx, row.planId);
      return { kind: 'nothing' };
    }
    // What waits for somebody outside has begun; a person who comes back makes a newer plan.
    if (row.evidenceAgeMs > evidenceFreshMs && row.state !== 'waiting') {
      await replan(tx, row, 'the directory was read too long ago to act upon');
      return { kind: 'replanned' };
    }
  }
  await assertNotStopped(tx, row.draft.account);
  if (await isBreakerOpen(tx, row.draft.account)) {
    throw new WaitError(`SendGrid refuses the key of ${row.draft.account}; its work waits`, 30_000, {
      code: 'ACCOUNT_BREAKER_OPEN',
      blame: 'remote',
      remedy: 'put a valid key into the configuration and restart; `sendoff doctor` tells what is wrong',
    });
  }
  const fence = await leaseAction(tx, row.id, context.owner);
  return { kind: 'claim', claim: { row, fence, reach, inDoubt, mayAct: refusal === null && !row.planSuperseded } };
}

/** The plan no longer fits: everything of it that has not begun gives way, and its event is planned again. */
export async function replan(
  tx: Parameters<typeof lockAction>[0],
  row: Pick<ActionRow, 'id' | 'personId' | 'eventId'>,
  why: string,
): Promise<void> {
  await dropAction(tx, row.id, 'superseded', why);
  await supersedePlans(tx, row.personId);
  await reopenEvent(tx, row.eventId, why);
}

/** The clients that a draft's effect works with; null when its account left the configuration. */
function reachOf({ clients, twilio, db }: WorkContext, draft: ActionDraft): Reach | null {
  if (draft.account === twilioAccount) {
    return twilio === null ? null : { sendgrid: null as never, twilio, db };
  }
  const client = clients.get(draft.account);
  if (client === undefined) return null;
  const sendgrid = draft.subuser === null ? client : inSubuser(client, draft.subuser);
  return { sendgrid, twilio: null as never, db };
}

/** The configuration may have changed since the plan was made. */
function refusalNow(policy: Policy, draft: ActionDraft, person: { emails: string[] }): string | null {
  if (modeOf(policy, draft.account) === 'observe') return 'the account’s mode is `observe` now';
  if (isProtected(policy, [draft.email, draft.target, ...person.emails])) return 'listed under `protect` now';
  return null;
}

function isOneAtATime(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'constraint' in error && error.constraint === 'action_one_at_a_time'
  );
}
