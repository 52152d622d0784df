import { SendoffError } from '#shared/errors.js';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { OperatorOrder } from '#shared/lifecycle/types.js';
import type { Db } from '#shared/store/database.js';
import { storeProposal } from '#shared/store/proposals.js';

/**
 * Asks for somebody's offboarding without ordering it: what comes of it is a held plan that a human approves or rejects.
 * Nothing else that happens to the person meanwhile takes the proposal into account; what plans them anew ends it.
 * @param by who asks, such as `token:assistant`
 * @returns the event's id
 * @throws SendoffError ORDER_STANDS
 */
export async function proposeOffboarding(
  db: Db,
  { email, by, reason }: { email: string; by: string; reason: string | null },
): Promise<string> {
  const address = canonicalAddress(email);
  return db.transaction().execute(async (tx) => {
    const stored = await storeProposal(tx, { email: address, by, reason });
    if ('standing' in stored) throw standsAlready(address, stored.standing);
    return stored.eventId;
  });
}

function standsAlready(email: string, { by, at, proposed }: OperatorOrder): SendoffError {
  const what = proposed ? `${by} proposed this for ${email}` : `${by} ordered ${email} off`;
  return new SendoffError(`${what} at ${at.toISOString()} already`, {
    code: 'ORDER_STANDS',
    blame: 'input',
    remedy: proposed
      ? 'it waits for an answer: sendoff plans list --state held'
      : 'sendoff plans list shows what came of it',
  });
}
