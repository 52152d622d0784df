import { randomUUID } from 'node:crypto';
import type { Transaction } from 'kysely';
import { appendAudit } from '#shared/audit/append.js';
import type { OperatorOrder } from '#shared/lifecycle/types.js';
import { proposedOrder, storeOperatorEvent } from './operator-events.js';
import { placeProposal } from './orders.js';
import type { Schema } from './schema.js';

export interface Proposal {
  /** Lower-case. */
  email: string;
  /** Who asks, such as `token:assistant` or `source:signals`. */
  by: string;
  reason: string | null;
}

/**
 * Notes that somebody asks for an offboarding, and makes the event that plans it: a held plan comes of it.
 * @returns the event's id, or what stands for the address already
 */
export async function storeProposal(
  tx: Transaction<Schema>,
  { email, by, reason }: Proposal,
): Promise<{ eventId: string } | { standing: OperatorOrder }> {
  const standing = await placeProposal(tx, email, { by, reason });
  if (standing !== null) return { standing };
  const senderId = randomUUID();
  await appendAudit(tx, {
    kind: 'operator.proposed',
    person: { id: null, email },
    cause: { source: 'operator', eventIds: [senderId], plan: null },
    actor: by,
  });
  const eventId = await storeOperatorEvent(tx, {
    eventId: senderId,
    type: 'terminated',
    email,
    raw: { by, reason, proposed: true },
    senderType: proposedOrder,
  });
  return { eventId };
}
