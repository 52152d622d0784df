import { randomUUID } from 'node:crypto';
import { appendAudit } from '#shared/audit/append.js';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { Db } from '#shared/store/database.js';
import { proposedOrder, storeOperatorEvent } from '#shared/store/operator-events.js';
import { placeOrder } from '#shared/store/orders.js';

/**
 * Asks for somebody's offboarding without ordering it: what comes of it is a held plan that a human approves or rejects.
 * Nothing else that happens to the person meanwhile takes the proposal into account.
 * @param by who asks, such as `token:assistant`
 * @returns the event's id
 */
export async function proposeOffboarding(
  db: Db,
  { email, by, reason }: { email: string; by: string; reason: string | null },
): Promise<string> {
  const address = canonicalAddress(email);
  return db.transaction().execute(async (tx) => {
    await placeOrder(tx, address, { by, reason, at: null, proposed: true });
    const senderId = randomUUID();
    await appendAudit(tx, {
      kind: 'operator.proposed',
      person: { id: null, email: address },
      cause: { source: 'operator', eventIds: [senderId], plan: null },
      actor: by,
    });
    return storeOperatorEvent(tx, {
      eventId: senderId,
      type: 'terminated',
      email: address,
      raw: { by, reason, proposed: true },
      senderType: proposedOrder,
    });
  });
}
