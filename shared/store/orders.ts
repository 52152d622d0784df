import { sql } from 'kysely';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { OperatorOrder } from '#shared/lifecycle/types.js';
import type { Db } from './database.js';

/** Who proposes is a source: a provider's word, not a human's. */
export const sourcePrefix = 'source:';

/**
 * Makes an order stand for an address from a moment on. An order that stands already is left as it is, unless it was
 * only proposed or the new one comes into force earlier. @returns true when something changed
 */
export async function placeOrder(
  db: Db,
  email: string,
  { by, reason, at }: { by: string; reason: string | null; at: Date | null },
): Promise<boolean> {
  const effective = at ?? sql<Date>`now()`;
  const result = await db
    .insertInto('operator_order')
    .values({ email: canonicalAddress(email), ordered_by: by, reason, effective_at: effective })
    .onConflict((conflict) =>
      conflict
        .column('email')
        .where('cancelled_at', 'is', null)
        .doUpdateSet({ ordered_by: by, reason, effective_at: effective, proposed: false })
        .where(sql<boolean>`operator_order.proposed or operator_order.effective_at > excluded.effective_at`),
    )
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Notes that somebody asks for an order. @returns what stands for the address already; null: nothing did */
export async function placeProposal(
  db: Db,
  email: string,
  { by, reason }: { by: string; reason: string | null },
): Promise<OperatorOrder | null> {
  const address = canonicalAddress(email);
  const result = await db
    .insertInto('operator_order')
    .values({ email: address, ordered_by: by, reason, effective_at: sql<Date>`now()`, proposed: true })
    .onConflict((conflict) => conflict.column('email').where('cancelled_at', 'is', null).doNothing())
    .executeTakeFirst();
  if ((result.numInsertedOrUpdatedRows ?? 0n) > 0n) return null;
  const row = await db
    .selectFrom('operator_order')
    .selectAll()
    .where('email', '=', address)
    .where('cancelled_at', 'is', null)
    .executeTakeFirstOrThrow();
  return { by: row.ordered_by, reason: row.reason, at: row.ordered_at, proposed: row.proposed };
}

/** @returns true when an order stood and now does not */
export async function cancelOrder(db: Db, email: string, by: string): Promise<boolean> {
  const result = await db
    .updateTable('operator_order')
    .set({ cancelled_by: by, cancelled_at: sql<Date>`now()` })
    .where('email', '=', canonicalAddress(email))
    .where('cancelled_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Which orders that were only proposed count: a source's proposal goes on until it is answered, others with their plan. */
export type Proposals = 'all' | 'of-sources' | 'none';

/** The order that stands for one of a person's addresses and is in force, the oldest of several. */
export async function standingOrder(db: Db, emails: string[], proposals: Proposals): Promise<OperatorOrder | null> {
  if (emails.length === 0) return null;
  const row = await db
    .selectFrom('operator_order')
    .select(['ordered_by', 'reason', 'ordered_at', 'proposed'])
    .where('email', 'in', emails.map(canonicalAddress))
    .where('cancelled_at', 'is', null)
    .where('effective_at', '<=', sql<Date>`now()`)
    .$if(proposals === 'none', (qb) => qb.where('proposed', '=', false))
    .$if(proposals === 'of-sources', (qb) =>
      qb.where((eb) => eb.or([eb('proposed', '=', false), eb('ordered_by', 'like', `${sourcePrefix}%`)])),
    )
    .orderBy('proposed')
    .orderBy('ordered_at')
    .executeTakeFirst();
  if (row === undefined) return null;
  return { by: row.ordered_by, reason: row.reason, at: row.ordered_at, proposed: row.proposed };
}

/** An order is about the person: it goes along when the directory gives them another address, unless one stands there. */
export async function renameOrders(db: Db, left: string[], now: string): Promise<void> {
  const email = canonicalAddress(now);
  await db
    .updateTable('operator_order')
    .set({ email })
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('operator_order')
        .select('id')
        .where('email', 'in', left)
        .where('cancelled_at', 'is', null)
        .orderBy('proposed')
        .orderBy('effective_at')
        .limit(1),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('operator_order as there')
            .select('there.id')
            .where('there.email', '=', email)
            .where('there.cancelled_at', 'is', null),
        ),
      ),
    )
    .execute();
}

/** A human has answered what was proposed: from now on it stands, or it is taken back. */
export async function answerProposal(db: Db, emails: string[], approved: boolean, by: string): Promise<void> {
  await db
    .updateTable('operator_order')
    .set(approved ? { proposed: false } : { cancelled_by: by, cancelled_at: sql<Date>`now()` })
    .where('email', 'in', emails.map(canonicalAddress))
    .where('cancelled_at', 'is', null)
    .where('proposed', '=', true)
    .execute();
}

/**
 * Nobody can answer any more what was proposed for these people: other facts came, or nobody did in time.
 * @returns those for whom a source had proposed it: what came meanwhile was planned with it
 */
export async function lapseProposals(db: Db, personIds: string[]): Promise<string[]> {
  if (personIds.length === 0) return [];
  const { rows } = await sql<{ id: string }>`
    with lapsed as (
      update operator_order set cancelled_by = 'worker', cancelled_at = now()
      where proposed and cancelled_at is null
        and email in (select unnest(emails) from person where id = any(${personIds}::uuid[]))
      returning email, ordered_by
    )
    select distinct person.id from person join lapsed on lapsed.email = any(person.emails)
    where person.id = any(${personIds}::uuid[]) and lapsed.ordered_by like ${`${sourcePrefix}%`}`.execute(db);
  return rows.map(({ id }) => id);
}
