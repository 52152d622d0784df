import { type CheckpointLine, checkpointLine, statementText } from './checkpoint-line.js';
import { fromLine, type PlacedRecord } from './line.js';
import { Frontier, isInTree, type Subtree } from './merkle.js';
import { isNoteOf } from './note.js';
import type { AuditLine } from './record.js';
import { isSignedBy } from './signing-key.js';
import { type Defect, Flaw, Trail } from './trail.js';

export type VerifyResult =
  | {
      ok: true;
      records: number;
      /** First and last record. A slice is an untampered part of a log with `treeSize` records. */
      range: { from: number; to: number };
      treeSize: number;
      publicKey: string;
      erased: number;
    }
  | { ok: false; defect: Defect; firstBadSeq: number | null; detail: string };

/**
 * Checks an export in JSONL, offline, in one pass and with bounded memory: every record's bytes, the chain, the tree's
 * root and the signed checkpoint at its end. CSV and OCSF are views and are not verified.
 * @param publicKey raw base64; without it the key named in the file itself is taken, which proves only that whoever
 *   made the file held it
 */
export async function verifyExport(
  lines: AsyncIterable<string> | Iterable<string>,
  publicKey: string | null,
): Promise<VerifyResult> {
  return verdictOf(async () => {
    const trail = new Trail();
    const end = await follow(lines, trail);
    if (end === null)
      throw new Flaw('truncated', trail.next, 'the file does not end with a checkpoint: its end is missing');
    checkEnd(end, publicKey, trail);
    const { range, treeSize } = end;
    return { range, treeSize, publicKey: end.publicKey, records: range.to - range.from + 1, erased: trail.erased };
  });
}

/** A flaw as a result; any other error stays one. */
export async function verdictOf(
  check: () => Promise<Omit<Extract<VerifyResult, { ok: true }>, 'ok'>>,
): Promise<VerifyResult> {
  try {
    return { ok: true, ...(await check()) };
  } catch (error) {
    if (error instanceof Flaw)
      return { ok: false, defect: error.defect, firstBadSeq: error.seq, detail: error.message };
    throw error;
  }
}

/** Takes every record. @returns the checkpoint behind them, or null when there is none */
async function follow(lines: AsyncIterable<string> | Iterable<string>, trail: Trail): Promise<CheckpointLine | null> {
  let end: CheckpointLine | null = null;
  let gap: Flaw | null = null;
  let isTorn = false;
  let isEmpty = true;
  for await (const line of lines) {
    const text = line.replace(/\r?\n$/, '');
    if (text === '') continue;
    isEmpty = false;
    if (isTorn) throw new Flaw('malformed', trail.next ?? 1, 'a line is not JSON');
    const value = parse(text);
    if (gap !== null) {
      // What is missing may yet stand further down.
      if (isObject(value) && value.seq === gap.seq)
        throw new Flaw('reordered', gap.seq, `record ${gap.seq} stands elsewhere`);
    } else if (end !== null) {
      throw new Flaw('inserted', trail.next, 'there are lines behind the checkpoint');
    } else if (value === undefined) {
      isTorn = true;
    } else {
      try {
        end = takeLine(value, text, trail);
      } catch (error) {
        if (!(error instanceof Flaw) || error.defect !== 'missing') throw error;
        gap = error;
      }
    }
  }
  if (gap !== null) throw gap;
  if (isEmpty) throw new Flaw('empty', null, 'the file holds no record and no checkpoint');
  if (isTorn && trail.first === null)
    throw new Flaw('malformed', 1, 'the file is not JSON; only an export in JSONL can be verified');
  return end;
}

/** @returns the checkpoint, if the line is one */
function takeLine(value: unknown, text: string, trail: Trail): CheckpointLine | null {
  if (isObject(value) && value.kind === 'checkpoint' && !('seq' in value)) return toCheckpoint(value, text);
  const record = isObject(value) ? toRecord(value) : null;
  if (record === null) {
    const next = trail.next ?? 1;
    throw new Flaw(
      'malformed',
      next,
      `no audit record stands where ${next} belongs; only an export in JSONL can be verified`,
    );
  }
  trail.take(record, text);
  return null;
}

function toCheckpoint(value: object, text: string): CheckpointLine {
  const parsed = checkpointLine.safeParse(value);
  if (!parsed.success) throw new Flaw('malformed', null, 'the checkpoint has not the form of one');
  if (JSON.stringify(parsed.data) !== text) throw new Flaw('edited', null, 'the checkpoint is not as it was written');
  return parsed.data;
}

function toRecord(value: Record<string, unknown>): PlacedRecord | null {
  if (!Number.isSafeInteger(value.seq) || Number(value.seq) < 1) return null;
  try {
    return fromLine(value as unknown as AuditLine);
  } catch {
    return null;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkEnd(end: CheckpointLine, pinned: string | null, trail: Trail): void {
  const { treeSize, range, chain, note, publicKey } = end;
  const tree = { size: treeSize, root: Buffer.from(end.root, 'hex') };
  if (pinned !== null && publicKey !== pinned) {
    throw new Flaw('bad-signature', null, 'the checkpoint was signed with another key');
  }
  if (!isSignedBy(publicKey, statementText(end), Buffer.from(end.signature, 'base64'))) {
    throw new Flaw('bad-signature', null, 'the checkpoint’s signature does not fit');
  }
  if (!isNoteOf(note, tree, publicKey)) {
    throw new Flaw('bad-signature', null, 'the checkpoint’s note is not of the same tree and key');
  }
  checkRange(range, trail);
  const leaves = trail.first === null ? new Frontier([], range.from - 1) : trail.tree;
  const proof = { left: end.left.map(toSubtree), right: end.right.map(toSubtree) };
  if (!isInTree(leaves, range.from - 1, proof, tree)) {
    throw new Flaw('forked', range.from, 'these records do not lead to the signed root: the log was rewritten');
  }
  if (trail.first !== null && chain.before !== trail.before.toString('hex')) {
    throw new Flaw('edited', range.from, `record ${range.from} does not follow on the one before this slice`);
  }
  if (trail.first !== null && chain.after !== trail.after.toString('hex')) {
    throw new Flaw('forked', range.from, 'these records do not lead to the signed end of the chain');
  }
}

function checkRange({ from, to }: { from: number; to: number }, { first, next }: Trail): void {
  if (first === null || next === null) {
    if (from <= to) throw new Flaw('truncated', from, `records ${from} to ${to} are missing`);
    return;
  }
  if (first > from) throw new Flaw('missing', from, `the file begins with record ${first} instead of ${from}`);
  if (first < from) throw new Flaw('inserted', first, `the checkpoint covers no record before ${from}`);
  if (next - 1 < to) throw new Flaw('truncated', next, `records ${next} to ${to} are missing`);
  if (next - 1 > to) throw new Flaw('inserted', to + 1, `the checkpoint covers no record after ${to}`);
}

function toSubtree({ size, hash }: { size: number; hash: string }): Subtree {
  return { size, hash: Buffer.from(hash, 'hex') };
}
