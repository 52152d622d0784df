import { sql, type Transaction } from 'kysely';
import { z } from 'zod';
import type { LifecycleEventType } from '#shared/lifecycle/types.js';
import { currentTraceparent } from '#shared/telemetry/trace.js';
import type { Schema } from './schema.js';

/** What operators say comes from here, as if it were a source; no configured source can have the name's events. */
export const operatorSource = 'operator';

/** Sender type of the order to give access back. */
export const restoreOrder = 'restore';

/** Sender type of an order that somebody only proposed. */
export const proposedOrder = 'propose';

/** Did somebody only ask for an order? */
export function isProposal({ source, senderType }: { source: string; senderType: string | null }): boolean {
  return source === operatorSource && senderType === proposedOrder;
}

/** Puts what an operator said into the inbox, where everything else comes from too. @returns the event's id */
export async function storeOperatorEvent(
  tx: Transaction<Schema>,
  {
    eventId,
    type,
    email,
    raw,
    senderType = null,
    at = null,
  }: {
    eventId: string;
    type: LifecycleEventType;
    email: string;
    raw: object;
    /** What kind of order it is, where the type doesn't say it. */
    senderType?: string | null;
    /** When it is due; null: now. */
    at?: Date | null;
  },
): Promise<string> {
  const { id } = await tx
    .insertInto('inbox')
    .values({
      source: operatorSource,
      event_id: eventId,
      type,
      sender_type: senderType,
      person_ref: JSON.stringify({ directoryId: null, email }),
      person_id: null,
      occurred_at: sql<Date>`now()`,
      raw: Buffer.from(JSON.stringify(raw)),
      state: at === null ? 'received' : 'waiting',
      reason: at === null ? null : `ordered for ${at.toISOString()}`,
      due_at: at ?? sql<Date>`now()`,
      last_error: null,
      traceparent: currentTraceparent(),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

const said = z.object({ by: z.string() });

/** Who gave the order that an event is; null: it is no operator's. */
export async function orderedBy(tx: Transaction<Schema>, eventId: string): Promise<string | null> {
  const row = await tx
    .selectFrom('inbox')
    .select('raw')
    .where('id', '=', eventId)
    .where('source', '=', operatorSource)
    .executeTakeFirst();
  return row === undefined ? null : said.parse(JSON.parse(row.raw.toString())).by;
}
