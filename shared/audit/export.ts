import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { SendoffError } from '#shared/errors.js';
import type { Db } from '#shared/store/database.js';
import { type Checkpoint, newestCheckpoint, signCheckpoint } from './checkpoint.js';
import { type CheckpointLine, type Statement, statementText } from './checkpoint-line.js';
import { csvHeader, toCsv } from './format-csv.js';
import { toOcsf } from './format-ocsf.js';
import { zeroHash } from './hashes.js';
import { toLine } from './line.js';
import type { Subtree } from './merkle.js';
import { linkAt, readRecords, readSubtrees } from './read.js';
import type { AuditLine } from './record.js';
import { sequenceAudit } from './sequence.js';
import type { Signer } from './signing-key.js';

export type ExportFormat = 'jsonl' | 'csv' | 'ocsf';

export interface ExportOptions {
  format: ExportFormat;
  since: Date | null;
  until: Date | null;
  /** null: the newest checkpoint that was signed before is used, and what came after it is left out. */
  signer: Signer | null;
}

interface Range {
  from: number;
  to: number;
}

/**
 * The audit trail as text, line by line. JSONL is evidence and ends with a signed checkpoint; a slice by time carries
 * the proof that it is an untouched part of the whole log. CSV and OCSF are views: they show hashes, but nothing
 * verifies them.
 * @throws SendoffError SIGNING_KEY_MISSING, AUDIT_FORKED, AUDIT_UNREADABLE
 */
export async function* exportAudit(db: Db, options: ExportOptions): AsyncGenerator<string> {
  const { format, signer } = options;
  await placeEverything(db);
  const checkpoint = signer === null ? await storedCheckpoint(db) : await signCheckpoint(db, signer);
  const range = await rangeOf(db, checkpoint.size, options);
  const whole = range.from === 1 && range.to === checkpoint.size;
  // Unsigned, the ends of a slice could be cut without a trace: any part of a proven part can be proven too.
  if (!whole && signer === null) throw missingKey('a slice of the audit trail has to be signed');

  if (format === 'csv') yield csvHeader;
  const before = (await linkAt(db, range.from - 1)) ?? zeroHash;
  let after = before;
  for await (const record of readRecords(db, range.from, range.to)) {
    after = record.hash;
    yield lineAs(format, toLine(record));
  }
  if (format !== 'jsonl') return;
  const chain = { before: before.toString('hex'), after: after.toString('hex') };
  yield `${JSON.stringify(await endOf(db, checkpoint, { range, chain, options }))}\n`;
}

/** What was committed a moment ago belongs into the export too; a worker may be sequencing it right now. */
async function placeEverything(db: Db): Promise<void> {
  for (let round = 0; round < 40; round += 1) {
    await sequenceAudit(db);
    const pending = await db.selectFrom('audit_pending').select('entry_id').limit(1).executeTakeFirst();
    if (pending === undefined) return;
    await sleep(50);
  }
}

async function storedCheckpoint(db: Db): Promise<Checkpoint> {
  const stored = await newestCheckpoint(db);
  if (stored === null) throw missingKey('no checkpoint was ever signed here');
  return stored;
}

function missingKey(why: string): SendoffError {
  return new SendoffError(`${why}, and SENDOFF_SIGNING_KEY is not set`, {
    code: 'SIGNING_KEY_MISSING',
    blame: 'input',
    remedy: 'set SENDOFF_SIGNING_KEY to the key that the worker signs with',
  });
}

/** The chain follows time, give or take clocks that differ and transactions that take long. */
const chainedWithinMs = 24 * 3_600_000;

/** From the first record that is not too early to the last that is not too late: what lies between is kept whole. */
async function rangeOf(db: Db, size: number, { since, until }: ExportOptions): Promise<Range> {
  const from = since === null ? 1 : await firstSince(db, since, size);
  const to = until === null ? size : await lastUntil(db, until, size);
  return from === null || to === null || to < from ? { from: size + 1, to: size } : { from, to };
}

/** Begins at a place before which nothing so late can stand: else all of the chain might be walked along. */
async function firstSince(db: Db, at: Date, size: number): Promise<number | null> {
  const { rows } = await sql<{ seq: string }>`
    select chain.seq from audit_chain chain join audit_entry entry on entry.id = chain.entry_id
    where entry.at >= ${at} and chain.seq <= ${size} and chain.seq > coalesce((
      select edge.seq from audit_entry earlier join audit_chain edge on edge.entry_id = earlier.id
      where earlier.at < ${new Date(at.getTime() - chainedWithinMs)} order by earlier.at desc limit 1), 0)
    order by chain.seq limit 1`.execute(db);
  return rows[0] === undefined ? null : Number(rows[0].seq);
}

async function lastUntil(db: Db, at: Date, size: number): Promise<number | null> {
  const { rows } = await sql<{ seq: string }>`
    select chain.seq from audit_chain chain join audit_entry entry on entry.id = chain.entry_id
    where entry.at <= ${at} and chain.seq <= ${size} and chain.seq < coalesce((
      select edge.seq from audit_entry later join audit_chain edge on edge.entry_id = later.id
      where later.at > ${new Date(at.getTime() + chainedWithinMs)} order by later.at limit 1), ${size + 1})
    order by chain.seq desc limit 1`.execute(db);
  return rows[0] === undefined ? null : Number(rows[0].seq);
}

async function endOf(
  db: Db,
  { size, root, note, publicKey, signature }: Checkpoint,
  { range, chain, options }: { range: Range; chain: Statement['chain']; options: ExportOptions },
): Promise<CheckpointLine> {
  const { since, until, signer } = options;
  const statement: Statement = {
    kind: 'checkpoint',
    treeSize: size,
    root: root.toString('hex'),
    range,
    chain,
    // A stored signature is over the whole log, asked for without bounds.
    since: (signer && since?.toISOString()) ?? null,
    until: (signer && until?.toISOString()) ?? null,
    note,
  };
  return {
    ...statement,
    publicKey,
    signature: signer?.sign(statementText(statement)).toString('base64') ?? signature,
    left: (await readSubtrees(db, 0, range.from - 1)).map(toText),
    right: (await readSubtrees(db, range.to, size)).map(toText),
  };
}

function toText({ size, hash }: Subtree): { size: number; hash: string } {
  return { size, hash: hash.toString('hex') };
}

function lineAs(format: ExportFormat, line: AuditLine): string {
  if (format === 'csv') return toCsv(line);
  return `${JSON.stringify(format === 'ocsf' ? toOcsf(line) : line)}\n`;
}
