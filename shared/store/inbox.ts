import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { EventState, LifecycleEventType, PersonRef } from '#shared/lifecycle/types.js';
import type { Db } from './database.js';
import { type EventFilter, matches, sortedBy } from './event-filter.js';
import { type ListPage, type ListQuery, pageOf, seqBefore } from './lists.js';
import type { Schema } from './schema.js';

type Tx = Transaction<Schema>;

export interface InboxEvent {
  id: string;
  source: string;
  eventId: string;
  type: LifecycleEventType | null;
  senderType: string | null;
  personRef: PersonRef | null;
  personId: string | null;
  receivedAt: Date;
  occurredAt: Date | null;
  state: EventState;
  /** The page of a catch-up that brought it; null: it was pushed, or ordered. */
  run: string | null;
}

export async function inboxEvent(db: Db, id: string): Promise<InboxEvent | null> {
  const row = await db.selectFrom('inbox').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) return null;
  return {
    id: row.id,
    source: row.source,
    eventId: row.event_id,
    type: row.type,
    senderType: row.sender_type,
    personRef: row.person_ref,
    personId: row.person_id,
    receivedAt: row.received_at,
    occurredAt: row.occurred_at,
    state: row.state,
    run: row.run,
  };
}

/** Addresses of each person whom the events of one catch-up say to have left. */
export async function runLeavers(db: Db, run: string): Promise<string[][]> {
  const { rows } = await sql<{ emails: string[] }>`
    select distinct coalesce(person.emails, array[lower(person_ref ->> 'email')]) as emails
    from inbox left join person on (person.id = inbox.person_id) or (
      inbox.person_id is null and person.directory = inbox.source and person.directory_id = inbox.person_ref ->> 'directoryId')
    where inbox.run = ${run} and inbox.type in ('terminated', 'suspended', 'unassigned')`.execute(db);
  return rows.map(({ emails }) => emails.filter((one) => one !== null));
}

/** The event's person is known now. */
export async function attachPerson(db: Db, id: string, personId: string): Promise<void> {
  await db.updateTable('inbox').set({ person_id: personId }).where('id', '=', id).execute();
}

/** Nothing more is due for this event. */
export async function finishEvent(tx: Tx, id: string, reason: string | null): Promise<void> {
  await tx
    .updateTable('inbox')
    .set({ state: 'done', reason, due_at: null, last_error: null })
    .where('id', '=', id)
    .execute();
}

/** The event is over without a plan. */
export async function dropEvent(db: Db, id: string, reason: string): Promise<void> {
  await db.updateTable('inbox').set({ state: 'done', reason, due_at: null }).where('id', '=', id).execute();
}

/** Why an event waits whose id no directory ever showed here. */
export const unprovenReason =
  'the directory does not know this id, nor has it ever shown it here, so nothing proves that somebody left';

/** The event waits for something outside, which is told to whoever lists events. */
export async function markWaiting(db: Db, id: string, reason: string): Promise<void> {
  await db
    .updateTable('inbox')
    .set({ state: 'waiting', reason })
    .where('id', '=', id)
    .where('due_at', 'is not', null)
    .execute();
}

/** No further attempt is made unless somebody asks for one. */
export async function buryEvent(db: Db, id: string, reason: string): Promise<void> {
  await db.updateTable('inbox').set({ state: 'dead', reason, due_at: null }).where('id', '=', id).execute();
}

/** How often an event was planned. */
export async function timesPlanned(db: Db, id: string): Promise<number> {
  const { count } = await db
    .selectFrom('plan')
    .select(sql<number>`count(*)::int`.as('count'))
    .where('event_id', '=', id)
    .executeTakeFirstOrThrow();
  return count;
}

/** Plans the event's person anew: the plan it led to no longer fits the facts, or somebody asked for it. */
export async function reopenEvent(db: Db | Tx, id: string, reason: string, delayMs = 0): Promise<boolean> {
  const result = await db
    .updateTable('inbox')
    .set({
      state: 'received',
      reason,
      due_at: sql<Date>`now() + make_interval(secs => ${delayMs / 1_000})`,
      attempts: 0,
    })
    .where('id', '=', id)
    .where('type', 'is not', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** What reconciliation finds comes from here, as if it were a source. */
export const reconcileSource = 'reconcile';

/** Puts a finding of a reconciliation into the inbox; it is planned by whoever found it. @returns the event's id */
export async function storeFinding(
  db: Db,
  {
    eventId,
    type,
    ref,
    raw,
    now,
  }: { eventId: string; type: LifecycleEventType; ref: PersonRef; raw: object; now: Date },
): Promise<string> {
  const { id } = await db
    .insertInto('inbox')
    .values({
      source: reconcileSource,
      event_id: eventId,
      type,
      sender_type: null,
      person_ref: JSON.stringify(ref),
      person_id: null,
      occurred_at: null,
      // Its lists were read from then on.
      received_at: now,
      raw: Buffer.from(JSON.stringify(raw)),
      state: 'queued',
      reason: null,
      // If whoever found it dies, it must not stay open: workers drop it then.
      due_at: sql<Date>`now() + interval '60 seconds'`,
      last_error: null,
    })
    .onConflict((conflict) =>
      conflict.columns(['source', 'event_id']).doUpdateSet({ due_at: sql<Date>`now() + interval '60 seconds'` }),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Is an event of this person still to be planned? Then it decides, and not what a comparison found meanwhile. */
export async function hasOpenEvent(
  db: Db,
  person: { id: string; directory: string; directoryId: string | null },
): Promise<boolean> {
  const row = await db
    .selectFrom('inbox')
    .select('id')
    // An order for a later day is nothing that decides now.
    .where('due_at', '<', sql<Date>`now() + interval '10 minutes'`)
    .where('source', '!=', reconcileSource)
    .where((eb) =>
      eb.or([
        eb('person_id', '=', person.id),
        // Of other sources the ids may be others'; whom they mean is known once they are planned.
        eb.and([
          eb('source', '=', person.directory),
          eb(sql<string>`person_ref ->> 'directoryId'`, '=', person.directoryId ?? ''),
        ]),
      ]),
    )
    .executeTakeFirst();
  return row !== undefined;
}

/** Has a source said anything of this person within a week? If not, what was found about them is news. */
export async function wasAnnounced(db: Db, personId: string): Promise<boolean> {
  const row = await db
    .selectFrom('inbox')
    .select('id')
    .where('person_id', '=', personId)
    .where('source', '!=', reconcileSource)
    .where('received_at', '>', sql<Date>`now() - interval '7 days'`)
    .executeTakeFirst();
  return row !== undefined;
}

/** One event as `events list` and the API show it. */
export interface EventItem {
  id: string;
  state: EventState;
  source: string;
  eventId: string;
  type: string | null;
  person: { id: string | null; email: string | null } | null;
  receivedAt: string;
  occurredAt: string | null;
  reason: string | null;
  attempts: number;
  lastError: string | null;
}

/** Newest first. */
export async function listEvents(db: Db, query: ListQuery & EventFilter): Promise<ListPage<EventItem>> {
  const sorted = sortedBy(query);
  const rows = await selectItems(db)
    .where(matches(query))
    .$if(query.before !== undefined, (qb) => qb.where(seqBefore('inbox.seq', query.before)))
    .$if(sorted !== null, (qb) => qb.orderBy(sorted as RawBuilder<unknown>, 'desc'))
    .orderBy('inbox.seq', 'desc')
    .limit(query.limit + 1)
    .execute();
  return pageOf(rows, query.limit, toItem);
}

/** One event with what its sender sent. */
export async function showEvent(
  db: Db,
  id: string,
): Promise<(EventItem & { directoryId: string | null; raw: string; plans: string[] }) | null> {
  const row = await selectItems(db).where('inbox.id', '=', id).executeTakeFirst();
  if (row === undefined) return null;
  const { raw } = await db.selectFrom('inbox').select('raw').where('id', '=', id).executeTakeFirstOrThrow();
  const plans = await db.selectFrom('plan').select('id').where('event_id', '=', id).orderBy('seq').execute();
  const directoryId = row.person_ref?.directoryId ?? null;
  return { ...toItem(row), directoryId, raw: raw.toString(), plans: plans.map((plan) => plan.id) };
}

function selectItems(db: Db) {
  return db
    .selectFrom('inbox')
    .leftJoin('person', 'person.id', 'inbox.person_id')
    .select([
      'inbox.id',
      'inbox.seq',
      'inbox.state',
      'inbox.source',
      'inbox.event_id',
      'inbox.type',
      'inbox.sender_type',
      'inbox.person_id',
      'inbox.person_ref',
      'inbox.received_at',
      'inbox.occurred_at',
      'inbox.reason',
      'inbox.attempts',
      'inbox.last_error',
      'person.emails',
    ]);
}

type ItemRow = Awaited<ReturnType<ReturnType<typeof selectItems>['executeTakeFirstOrThrow']>>;

function toItem(row: ItemRow): EventItem {
  const email = row.emails?.[0] ?? row.person_ref?.email ?? null;
  return {
    id: row.id,
    state: row.state,
    source: row.source,
    eventId: row.event_id,
    type: row.type ?? row.sender_type,
    person: row.person_id === null && email === null ? null : { id: row.person_id, email },
    receivedAt: row.received_at.toISOString(),
    occurredAt: row.occurred_at?.toISOString() ?? null,
    reason: row.reason,
    attempts: row.attempts,
    lastError: row.last_error,
  };
}
