import { createHash } from 'node:crypto';
import { nearest } from '#shared/config/nearest.js';
import { canonicalAddress, isAddress } from '#shared/lifecycle/address.js';
import { type LifecycleEventType, lifecycleEventTypes, type NormalizedEntry } from '#shared/lifecycle/types.js';
import { DayOrTime } from './schema.js';

export type FeedColumn = 'email' | 'id' | 'type' | 'date';

export interface FeedRow {
  number: number;
  cells: Partial<Record<FeedColumn, string>>;
  fault: string | null;
}

/** What is wrong with a row, and in which column; null: as a whole. */
export interface Fault {
  column: string | null;
  text: string;
}

export interface Reading {
  /** Headings of the columns that are there. */
  headings: Partial<Record<FeedColumn, string>>;
  /** Their words, if they are not ours. */
  types: Record<string, LifecycleEventType> | null;
  /** Is there a directory whose ids these are? */
  hasIds: boolean;
  now: Date;
}

export type ReadRow =
  | { kind: 'entry'; entry: NormalizedEntry }
  /** Its day has not come. */
  | { kind: 'later'; from: Date }
  | { kind: 'faulty'; faults: Fault[] };

/** A date further ahead is a slip of the pen, by which somebody would never leave. */
const furthestMs = 366 * 24 * 3_600_000;
const leaving = 'terminated';

/** One row of a leavers feed -> what it says. The same facts are the same entry, however the file is written. */
export function readRow(row: FeedRow, reading: Reading): ReadRow {
  if (row.fault !== null) return { kind: 'faulty', faults: [{ column: null, text: row.fault }] };
  const { cells } = row;
  const type = typeOf(cells.type, reading);
  const person = personOf(cells, reading);
  const date = dateOf(cells.date ?? '', reading);
  const faults = [type.fault, person.fault, date.fault].filter((fault) => fault !== null);
  if (faults.length > 0) return { kind: 'faulty', faults };
  if (date.at !== null && date.at > reading.now) return { kind: 'later', from: date.at };
  const { directoryId, email } = person;
  const facts = [
    type.word,
    directoryId,
    email === null ? null : canonicalAddress(email),
    date.at?.toISOString() ?? null,
  ];
  const common = {
    eventId: `row:${sha256(JSON.stringify(facts))}`,
    occurredAt: date.at,
    raw: JSON.stringify(cells),
    senderType: type.word,
  };
  if (type.meaning === null) {
    return { kind: 'entry', entry: { ...common, outcome: 'ignored', reason: 'a type that feed.types does not name' } };
  }
  return { kind: 'entry', entry: { ...common, outcome: 'event', type: type.meaning, person: { directoryId, email } } };
}

/** A row that can't be read, for the inbox: nobody is there to be asked. */
export function quarantined({ number, cells }: FeedRow, faults: readonly Fault[]): NormalizedEntry {
  const raw = JSON.stringify(cells);
  const reason = faults.map((fault) => faultText(number, fault)).join('; ');
  return {
    eventId: `row:${sha256(`unreadable\n${raw}\n${faults.map(({ text }) => text).join()}`)}`,
    occurredAt: null,
    raw,
    outcome: 'quarantined',
    senderType: cells.type || null,
    reason,
  };
}

/** `row 17, column email: is no address`. */
export function faultText(row: number, { column, text }: Fault): string {
  return column === null ? `row ${row} ${text}` : `row ${row}, column ${column}: ${text}`;
}

/** Without a column of types, a list of leavers is what it is. */
function typeOf(
  cell: string | undefined,
  { types, headings }: Reading,
): { word: string; meaning: LifecycleEventType | null; fault: Fault | null } {
  if (cell === undefined) return { word: leaving, meaning: leaving, fault: null };
  const column = headings.type ?? 'type';
  const word = cell.toLowerCase();
  if (word === '') return { word, meaning: null, fault: { column, text: 'is empty (write what happened)' } };
  if (types !== null) {
    const known = Object.entries(types).find(([theirs]) => theirs.toLowerCase() === word);
    return { word: cell, meaning: known?.[1] ?? null, fault: null };
  }
  const meaning = lifecycleEventTypes.find((one) => one === word) ?? null;
  if (meaning !== null) return { word, meaning, fault: null };
  const near = nearest(word, lifecycleEventTypes);
  const remedy = near === null ? 'write one of them, or say under feed.types what yours mean' : `did you mean ${near}?`;
  return { word, meaning, fault: { column, text: `is none of ${lifecycleEventTypes.join(', ')} (${remedy})` } };
}

function personOf(
  { email = '', id = '' }: FeedRow['cells'],
  { headings, hasIds }: Reading,
): { email: string | null; directoryId: string | null; fault: Fault | null } {
  const directoryId = hasIds && id !== '' ? id : null;
  const nobody = { email: null, directoryId: null };
  if (email !== '' && !isAddress(email)) {
    return {
      ...nobody,
      fault: { column: headings.email ?? 'email', text: 'is no e-mail address (write one, such as jane@acme.com)' },
    };
  }
  if (id.length > 200)
    return { ...nobody, fault: { column: headings.id ?? 'id', text: 'is longer than 200 characters' } };
  if (email === '' && directoryId === null) {
    const text =
      id === ''
        ? 'is empty (write whom the row is about)'
        : 'is empty, and no directory knows the id (write the address)';
    return { ...nobody, fault: { column: headings.email ?? headings.id ?? 'email', text } };
  }
  return { email: email === '' ? null : email, directoryId, fault: null };
}

function dateOf(cell: string, { headings, now }: Reading): { at: Date | null; fault: Fault | null } {
  if (cell === '') return { at: null, fault: null };
  const column = headings.date ?? 'date';
  const parsed = DayOrTime.safeParse(cell);
  if (!parsed.success)
    return { at: null, fault: { column, text: 'is no date (write 2026-11-30, or 2026-11-30T17:00:00Z)' } };
  if (parsed.data.getTime() - now.getTime() > furthestMs) {
    return { at: null, fault: { column, text: 'lies more than a year ahead (correct the year)' } };
  }
  return { at: parsed.data, fault: null };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
