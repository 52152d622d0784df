import { randomUUID } from 'node:crypto';
import { appendAudit } from '#shared/audit/append.js';
import { SendoffError } from '#shared/errors.js';
import { canonicalAddress, isAddress } from '#shared/lifecycle/address.js';
import type { Db } from '#shared/store/database.js';
import { restoreOrder, storeOperatorEvent } from '#shared/store/operator-events.js';
import { cancelOrder, placeOrder } from '#shared/store/orders.js';
import { personsWith } from '#shared/store/people.js';
import { keptDays, removedAccess } from '#shared/store/restore-records.js';

// What operators order, from wherever they do so. Each is a fact of its own with the event that makes it be planned, in
// one transaction; nothing here changes SendGrid.

export interface OffboardOrder {
  email: string;
  by: string;
  reason: string | null;
  /** It stands from then on; null: at once. */
  at: Date | null;
}

/** @returns the event's id */
export async function orderOffboarding(db: Db, { email, by, reason, at }: OffboardOrder): Promise<string> {
  return db.transaction().execute(async (tx) => {
    await placeOrder(tx, email, { by, reason, at });
    const senderId = randomUUID();
    await appendAudit(tx, {
      kind: 'operator.ordered',
      person: { id: null, email: canonicalAddress(email) },
      cause: { source: 'operator', eventIds: [senderId], plan: null },
      actor: by,
    });
    return storeOperatorEvent(tx, {
      eventId: senderId,
      type: 'terminated',
      email: canonicalAddress(email),
      raw: { by, reason, cancel: false, at },
      at,
    });
  });
}

/** @returns the event's id @throws SendoffError NO_ORDER */
export async function cancelOffboarding(
  db: Db,
  { email, by, reason }: Pick<OffboardOrder, 'email' | 'by' | 'reason'>,
): Promise<string> {
  return db.transaction().execute(async (tx) => {
    if (!(await cancelOrder(tx, email, by))) {
      throw new SendoffError(`no order stands for ${email}`, {
        code: 'NO_ORDER',
        blame: 'input',
        remedy: 'an order is placed with `sendoff offboard <email>`',
      });
    }
    const senderId = randomUUID();
    await appendAudit(tx, {
      kind: 'operator.cancelled',
      person: { id: null, email: canonicalAddress(email) },
      cause: { source: 'operator', eventIds: [senderId], plan: null },
      actor: by,
    });
    return storeOperatorEvent(tx, {
      eventId: senderId,
      type: 'reactivated',
      email: canonicalAddress(email),
      raw: { by, reason, cancel: true, at: null },
      at: null,
    });
  });
}

export interface RestoreOrdered {
  eventId: string;
  records: { account: string; subuser: string | null; target: string }[];
}

/** @throws SendoffError NOTHING_TO_RESTORE */
export async function orderRestore(
  db: Db,
  { email: address, by }: { email: string; by: string },
): Promise<RestoreOrdered> {
  const email = canonicalAddress(address);
  return db.transaction().execute(async (tx) => {
    const removed = await removedAccess(tx, await personsWith(tx, [email]));
    if (removed.length === 0) {
      throw new SendoffError(
        `nothing that was removed from ${email} within ${keptDays} days is waiting to be given back`,
        {
          code: 'NOTHING_TO_RESTORE',
          blame: 'input',
          remedy: 'sendoff actions list shows what was done; access older than that has to be granted anew',
        },
      );
    }
    const senderId = randomUUID();
    await appendAudit(tx, {
      kind: 'operator.restored',
      person: { id: null, email },
      cause: { source: 'operator', eventIds: [senderId], plan: null },
      actor: by,
    });
    const eventId = await storeOperatorEvent(tx, {
      eventId: senderId,
      type: 'joined',
      email,
      senderType: restoreOrder,
      raw: { by, restore: true },
    });
    return { eventId, records: removed.map(({ account, subuser, email: target }) => ({ account, subuser, target })) };
  });
}

/** @throws SendoffError for what is no e-mail address */
export function assertAddress(email: string): void {
  if (isAddress(email)) return;
  throw new SendoffError(`"${email}" is not an e-mail address`, {
    code: 'NOT_AN_ADDRESS',
    blame: 'input',
    remedy: 'name the person by an address that the directory knows, such as jane@acme.com',
  });
}
