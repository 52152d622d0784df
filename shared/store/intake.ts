import { createHash } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { appendAudit } from '#shared/audit/append.js';
import { failpoint } from '#shared/failpoint.js';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import { currentTraceparent } from '#shared/telemetry/trace.js';
import type { Db } from './database.js';
import { sourcePrefix } from './orders.js';
import { type Proposal, storeProposal } from './proposals.js';
import type { Schema } from './schema.js';
import { type ClaimedTask, moveCursor } from './source-tasks.js';

/** Deliveries committed together at the most, and commits under way at once: group commit is what makes intake fast. */
const batchSize = 500;
const inFlight = 2;

export interface StoreResult {
  stored: number;
  duplicates: number;
}

export interface Intake {
  /**
   * Stores a delivery's entries; resolves only after the commit. An entry that is there already is a duplicate.
   * @throws whatever the database throws: nothing of this delivery may be acknowledged then
   */
  store(source: string, entries: NormalizedEntry[]): Promise<StoreResult>;
}

/** A row as intake knows it; the database fills in the rest. */
interface InboxRow {
  source: string;
  event_id: string;
  type: string | null;
  sender_type: string | null;
  person_ref: string | null;
  occurred_at: Date | null;
  raw: Buffer;
  state: string;
  reason: string | null;
  due_at: Date | null;
  run: string | null;
  traceparent: string | null;
  /** Put to a human with this row. */
  proposal: Proposal | null;
}

interface Waiting {
  rows: InboxRow[];
  resolve(result: StoreResult): void;
  reject(error: unknown): void;
}

/** The door of the inbox: deliveries that arrive while others are being committed share the next commit. */
export function createIntake(db: Db): Intake {
  const queue: Waiting[] = [];
  let running = 0;

  const pump = (): void => {
    while (running < inFlight && queue.length > 0) {
      running += 1;
      const batch = queue.splice(0, batchSize);
      commit(db, batch).finally(() => {
        running -= 1;
        pump();
      });
    }
  };

  return {
    store: (source, entries) =>
      new Promise((resolve, reject) => {
        queue.push({ rows: entries.map((entry) => toRow(source, entry)), resolve, reject });
        pump();
      }),
  };
}

async function commit(db: Db, batch: Waiting[]): Promise<void> {
  try {
    const inserted = await insert(
      db,
      batch.flatMap((waiting) => waiting.rows),
    );
    failpoint('intake.after_commit');
    for (const { rows, resolve } of batch) {
      // Of two deliveries of one event in the same commit, the first is the one that was stored.
      const stored = rows.filter((row) => inserted.delete(keyOf(row))).length;
      resolve({ stored, duplicates: rows.length - stored });
    }
  } catch (error) {
    // One delivery that the database refuses must not take the others down with it.
    if (batch.length > 1 && isRefusedData(error)) {
      for (const waiting of batch) await commit(db, [waiting]);
    } else {
      for (const { reject } of batch) reject(error);
    }
  }
}

/**
 * Stores what a poll brought together with the place behind it.
 * @returns null when another process has taken the task over; nothing is stored then
 */
export async function storePage(
  db: Db,
  claimed: ClaimedTask,
  entries: NormalizedEntry[],
  cursor: string,
): Promise<StoreResult | null> {
  // All pages of one catch-up are one run: together they may say that too many have left.
  const rows = entries.map((entry) => ({ ...toRow(claimed.source, entry), run: claimed.token }));
  return db.transaction().execute(async (tx) => {
    if (!(await moveCursor(tx, claimed, cursor))) return null;
    const stored = (await insertAudited(tx, rows)).size;
    return { stored, duplicates: rows.length - stored };
  });
}

async function insert(db: Db, rows: InboxRow[]): Promise<Set<string>> {
  if (rows.length === 0) return new Set();
  return db.transaction().execute((tx) => insertAudited(tx, rows));
}

async function insertAudited(tx: Transaction<Schema>, rows: InboxRow[]): Promise<Set<string>> {
  if (rows.length === 0) return new Set();
  // One order for everybody: two commits with the same events can't lock each other out.
  const ordered = [...rows].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const inserted = await insertRows(tx, ordered);
  await appendAudit(
    tx,
    inserted
      .filter((row) => row.state !== 'ignored')
      .map((row) => ({
        kind: row.state === 'quarantined' ? ('event.quarantined' as const) : ('event.received' as const),
        cause: { source: row.source, eventIds: [row.event_id], plan: null },
        actor: `source:${row.source}`,
        detail: { type: row.type, senderType: row.sender_type, reason: row.reason },
      })),
  );
  const keys = new Set(inserted.map(keyOf));
  for (const row of ordered) if (row.proposal !== null && keys.has(keyOf(row))) await storeProposal(tx, row.proposal);
  failpoint('intake.before_commit');
  return keys;
}

type Inserted = Pick<InboxRow, 'source' | 'event_id' | 'state' | 'type' | 'sender_type' | 'reason'>;

/** One statement with one array for each column: five hundred rows cost hardly more than one. */
async function insertRows(tx: Db, rows: InboxRow[]): Promise<Inserted[]> {
  const column = <K extends keyof InboxRow>(name: K) => rows.map((row) => row[name]);
  const result = await sql<Inserted>`
    insert into inbox (source, event_id, type, sender_type, person_ref, occurred_at, raw, state, reason, due_at,
      run, traceparent)
    select * from unnest(${column('source')}::text[], ${column('event_id')}::text[], ${column('type')}::text[],
      ${column('sender_type')}::text[], ${column('person_ref')}::jsonb[], ${column('occurred_at')}::timestamptz[],
      ${column('raw')}::bytea[], ${column('state')}::text[], ${column('reason')}::text[], ${column('due_at')}::timestamptz[],
      ${column('run')}::uuid[], ${column('traceparent')}::text[])
    on conflict (source, event_id) do nothing
    returning source, event_id, state, type, sender_type, reason`.execute(tx);
  return result.rows;
}

function toRow(source: string, entry: NormalizedEntry): InboxRow {
  const isEvent = entry.outcome === 'event';
  return {
    source,
    event_id: boundedId(entry.eventId),
    type: isEvent ? entry.type : null,
    sender_type: entry.senderType === null ? null : storable(entry.senderType).slice(0, 200),
    person_ref: isEvent ? JSON.stringify(mapText(entry.person)) : null,
    occurred_at: storableTime(entry.occurredAt),
    raw: Buffer.from(entry.raw),
    state: isEvent ? 'received' : entry.outcome,
    reason: isEvent ? null : storable(entry.reason),
    due_at: isEvent ? new Date(0) : null,
    run: null,
    // Of the delivery itself: the commit is shared with others.
    traceparent: isEvent ? currentTraceparent() : null,
    proposal: proposalOf(source, entry),
  };
}

function proposalOf(source: string, entry: NormalizedEntry): Proposal | null {
  if (entry.outcome !== 'ignored' || entry.proposes === undefined) return null;
  const { email, reason } = entry.proposes;
  return { email: canonicalAddress(email), by: `${sourcePrefix}${source}`, reason };
}

function keyOf(row: { source: string; event_id: string }): string {
  return `${row.source}\n${row.event_id}`;
}

/** Ids are the sender's; a huge one would not fit the unique index. */
function boundedId(id: string): string {
  const text = storable(id);
  return text.length <= 200 ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** PostgreSQL takes neither NUL nor lone surrogates; a sender may send both. */
function storable(text: string): string {
  return Buffer.from(text.replaceAll('\0', '\ufffd')).toString();
}

/** A sender's time is a remark: one that no calendar has is left out. */
function storableTime(time: Date | null): Date | null {
  const year = time?.getUTCFullYear() ?? Number.NaN;
  return year >= 1970 && year <= 9_999 ? time : null;
}

function mapText(ref: { directoryId: string | null; email: string | null }) {
  return {
    directoryId: ref.directoryId === null ? null : storable(ref.directoryId),
    email: ref.email === null ? null : storable(ref.email),
  };
}

/** SQLSTATE classes 21, 22 and 23: the statement was understood and the data refused. */
function isRefusedData(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && /^2[123]/.test(String(error.code));
}
