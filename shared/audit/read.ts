import type { Transaction } from 'kysely';
import { messageOf, SendoffError } from '#shared/errors.js';
import type { Db } from '#shared/store/database.js';
import type { Schema } from '#shared/store/schema.js';
import { zeroHash } from './hashes.js';
import type { PlacedRecord } from './line.js';
import { Frontier, type Subtree, subtreeSizes } from './merkle.js';
import type { HashedPart, PersonalPart } from './record.js';

/** Rows read at once: memory does not grow with the log. */
const recordsAtOnce = 1_000;
const leavesAtOnce = 10_000;

export interface StoredRecord extends PlacedRecord {
  leaf: Buffer;
}

/**
 * Every record of a range, in order, both ends included.
 * @throws SendoffError AUDIT_UNREADABLE, with the record's `seq` among its facts
 */
export async function* readRecords(db: Db, from: number, to: number): AsyncGenerator<StoredRecord> {
  let prevHash = await linkAt(db, from - 1);
  if (to < from) return;
  if (prevHash === null) throw unreadable(from - 1, 'it is not there');
  for (let next = from; next <= to; ) {
    const rows = await db
      .selectFrom('audit_chain as chain')
      .innerJoin('audit_entry as entry', 'entry.id', 'chain.entry_id')
      .leftJoin('audit_personal as personal', 'personal.entry_id', 'chain.entry_id')
      .select([
        'chain.seq',
        'chain.leaf',
        'chain.hash',
        'entry.id',
        'entry.at',
        'entry.canonical',
        'personal.salt',
        'personal.data',
      ])
      .where('chain.seq', '>=', String(next))
      .where('chain.seq', '<=', String(to))
      .orderBy('chain.seq')
      .limit(recordsAtOnce)
      .execute();
    for (const { seq, leaf, hash, id, at, canonical, salt, data } of rows) {
      // Id and time as the columns have them: they are what is searched by, and an edit of them must show too.
      const columns = { id, at: at.toISOString() };
      const hashed = { ...parse<HashedPart>(Number(seq), canonical), ...columns };
      const personal = salt === null || data === null ? null : { salt, data: parse<PersonalPart>(Number(seq), data) };
      yield { seq: Number(seq), hashed, personal, prevHash, hash, leaf };
      prevHash = hash;
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    next = Number(last.seq) + 1;
  }
}

/** The chain's hash at a place; null when nothing stands there. */
export async function linkAt(db: Db | Transaction<Schema>, seq: number): Promise<Buffer | null> {
  if (seq === 0) return zeroHash;
  const row = await db.selectFrom('audit_chain').select('hash').where('seq', '=', String(seq)).executeTakeFirst();
  return row?.hash ?? null;
}

export interface Link {
  seq: number;
  leaf: Buffer;
  hash: Buffer;
}

/** The links of [`begin`, `end`), counted from 0 as a tree's leaves are. */
export async function* readLinks(db: Db | Transaction<Schema>, begin: number, end: number): AsyncGenerator<Link> {
  for (let next = begin; next < end; ) {
    const rows = await db
      .selectFrom('audit_chain')
      .select(['seq', 'leaf', 'hash'])
      .where('seq', '>', String(next))
      .where('seq', '<=', String(end))
      .orderBy('seq')
      .limit(leavesAtOnce)
      .execute();
    for (const row of rows) yield { ...row, seq: Number(row.seq) };
    const last = rows.at(-1);
    if (last === undefined) return;
    next = Number(last.seq);
  }
}

/** The complete subtrees over the leaves of [`begin`, `end`): what a range proof consists of. */
export async function readSubtrees(db: Db, begin: number, end: number): Promise<Subtree[]> {
  const subtrees: Subtree[] = [];
  let at = begin;
  for (const size of subtreeSizes(begin, end)) {
    const frontier = new Frontier();
    for await (const { leaf } of readLinks(db, at, at + size)) frontier.append({ size: 1, hash: leaf });
    subtrees.push({ size, hash: frontier.root() });
    at += size;
  }
  return subtrees;
}

function parse<T>(seq: number, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw unreadable(seq, messageOf(cause));
  }
}

function unreadable(seq: number, why: string): SendoffError {
  return new SendoffError(`audit record ${seq} cannot be read: ${why}`, {
    code: 'AUDIT_UNREADABLE',
    blame: 'remote',
    remedy: 'the log was damaged or tampered with: compare with an export kept elsewhere',
    facts: { seq },
  });
}
