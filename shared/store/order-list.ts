import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { Db } from './database.js';

/** An operator's order as the API shows it. */
export interface OrderItem {
  id: string;
  state: 'standing' | 'cancelled';
  email: string;
  by: string;
  /** Only asked for: what comes of it is held for a human. */
  proposed: boolean;
  reason: string | null;
  orderedAt: string;
  /** It stands from then on. */
  effectiveAt: string;
  cancelledBy: string | null;
  cancelledAt: string | null;
}

/** Orders about these addresses, or all that stand; newest first. */
export async function listOrders(
  db: Db,
  which: { emails: string[] } | 'standing',
  limit: number,
): Promise<OrderItem[]> {
  if (which !== 'standing' && which.emails.length === 0) return [];
  const rows = await db
    .selectFrom('operator_order')
    .selectAll()
    .$if(which === 'standing', (qb) => qb.where('cancelled_at', 'is', null))
    .$if(which !== 'standing', (qb) =>
      qb.where('email', 'in', (which as { emails: string[] }).emails.map(canonicalAddress)),
    )
    .orderBy('ordered_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    state: row.cancelled_at === null ? 'standing' : 'cancelled',
    email: row.email,
    by: row.ordered_by,
    proposed: row.proposed,
    reason: row.reason,
    orderedAt: row.ordered_at.toISOString(),
    effectiveAt: row.effective_at.toISOString(),
    cancelledBy: row.cancelled_by,
    cancelledAt: row.cancelled_at?.toISOString() ?? null,
  }));
}
