import { z } from 'zod';
import { canonical } from './hashes.js';

const count = z.int().nonnegative();
const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** Only as we write it: Node also reads what is padded with anything. */
const base64 = z.string().refine((text) => Buffer.from(text, 'base64').toString('base64') === text);
const subtrees = z.array(z.strictObject({ size: count, hash })).max(64);

/** What a checkpoint says, in words that are signed: which records of which log an export holds. */
const statementFields = {
  kind: z.literal('checkpoint'),
  treeSize: count,
  root: hash,
  /** First and last record, both included; `to < from` when there are none. */
  range: z.strictObject({ from: z.int().positive(), to: count }),
  /** The chain's hash before the first record, and the last one's: in a slice nothing else tells where the chain stood. */
  chain: z.strictObject({ before: hash, after: hash }),
  /** What was asked for. */
  since: z.string().nullable(),
  until: z.string().nullable(),
  /** C2SP signed note of the whole log. */
  note: z.string(),
};

export type Statement = z.infer<z.ZodObject<typeof statementFields>>;

/** The last line of an export in JSONL. */
export type CheckpointLine = z.infer<typeof checkpointLine>;
export const checkpointLine = z.strictObject({
  ...statementFields,
  /** Raw, in base64. */
  publicKey: base64,
  /** Of that key over the statement. */
  signature: base64,
  /** Hashes of what lies before and after the range: with them the slice leads to the root of the whole log. */
  left: subtrees,
  right: subtrees,
});

/** The bytes that are signed. */
export function statementText({ kind, treeSize, root, range, chain, since, until, note }: Statement): string {
  return canonical({ kind, treeSize, root, range, chain, since, until, note });
}

/** What is signed of the whole log up to a size. */
export function wholeLog(size: number, root: Buffer, head: Buffer, note: string): Statement {
  return {
    kind: 'checkpoint',
    treeSize: size,
    root: root.toString('hex'),
    range: { from: 1, to: size },
    chain: { before: '00'.repeat(32), after: head.toString('hex') },
    since: null,
    until: null,
    note,
  };
}
