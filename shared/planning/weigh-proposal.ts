import type { Transaction } from 'kysely';
import { WaitError } from '#shared/errors.js';
import { type Gated, isProposed, modeOf } from '#shared/lifecycle/gate.js';
import { plan } from '#shared/lifecycle/plan.js';
import type { Situation } from '#shared/lifecycle/situation.js';
import { type Guard, isRemoval, type PlanDraft, type Policy } from '#shared/lifecycle/types.js';
import type { InboxEvent } from '#shared/store/inbox.js';
import { isProposal } from '#shared/store/operator-events.js';
import { lapseProposals } from '#shared/store/orders.js';
import { heldActions, isBeingApplied } from '#shared/store/plans.js';
import type { Schema } from '#shared/store/schema.js';

// A proposal is weaker than everything else that is planned.

/** What there would be to do if nobody had proposed anything; null: nobody has. */
export function dueWithoutProposal(situation: Situation, policy: Policy): PlanDraft | null {
  return situation.order?.proposed === true ? plan({ ...situation, order: null }, policy) : null;
}

/** Does it take access away from somebody, and not only on paper? */
export function removesAccess({ actions }: PlanDraft, policy: Policy): boolean {
  return actions.some((action) => isRemoval(action) && modeOf(policy, action.account) !== 'observe');
}

/** A proposal must not take the place of what is being done: that would be left half done until somebody answers. */
export async function assertNotBusy(tx: Transaction<Schema>, personId: string): Promise<void> {
  if (!(await isBeingApplied(tx, personId))) return;
  throw new WaitError('what is under way for this person is finished before a proposal is planned', 5_000, {
    code: 'PERSON_BUSY',
    blame: 'remote',
  });
}

/** Ends proposals that the new plan asks nobody about: it is another's, or there is nothing to ask. */
export async function endUnasked(
  tx: Transaction<Schema>,
  personId: string,
  {
    event,
    draft,
    gated,
    gaveWay,
  }: { event: InboxEvent; draft: PlanDraft; gated: Gated; gaveWay: { holds: Guard[] }[] },
): Promise<void> {
  if (!isProposal(event) && !gaveWay.some(isProposed)) return;
  const isAsked = gated.state === 'held' && isProposed(draft) && heldActions(draft, gated).length > 0;
  if (!isAsked) await lapseProposals(tx, [personId]);
}
