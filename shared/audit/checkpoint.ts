import type { Selectable, Transaction } from 'kysely';
import { SendoffError } from '#shared/errors.js';
import type { Db } from '#shared/store/database.js';
import type { AuditCheckpointTable, Schema } from '#shared/store/schema.js';
import { statementText, wholeLog } from './checkpoint-line.js';
import { chainHash, sameBytes, zeroHash } from './hashes.js';
import { Frontier } from './merkle.js';
import { isNoteOf, signNote, type TreeHead } from './note.js';
import { linkAt, readLinks } from './read.js';
import { lockChain } from './sequence.js';
import { isSignedBy, type Signer } from './signing-key.js';

type Tx = Transaction<Schema>;

export interface Checkpoint extends TreeHead {
  /** C2SP signed note: origin, size, root, signature. */
  note: string;
  /** Raw, in base64: the key of note and signature. */
  publicKey: string;
  /** Over the statement of the whole log. */
  signature: string;
}

export interface StoredCheckpoint extends Checkpoint {
  frontier: { size: number; hash: string }[];
}

/**
 * Signs the head of the chain. Builds on the checkpoint before it, so that no two of them can tell different stories.
 * @returns the newest checkpoint: an earlier one of this key when nothing was added since
 * @throws SendoffError AUDIT_FORKED when the stored log no longer leads to an earlier checkpoint
 */
export async function signCheckpoint(db: Db, signer: Signer): Promise<Checkpoint> {
  return db.transaction().execute(async (tx) => {
    await lockChain(tx, true);
    const earlier = await newestCheckpoint(tx);
    const start = earlier === null ? { frontier: new Frontier(), head: zeroHash } : await resume(tx, earlier, signer);
    const head = await grow(tx, start.frontier, start.head, Number.MAX_SAFE_INTEGER);
    const size = start.frontier.end;
    if (earlier?.size === size && earlier.publicKey === signer.publicKey) return earlier;

    const root = start.frontier.root();
    const note = signNote(signer, { size, root });
    const signature = signer.sign(statementText(wholeLog(size, root, head, note))).toString('base64');
    const frontier = JSON.stringify(
      start.frontier.parts().map(({ size, hash }) => ({ size, hash: hash.toString('hex') })),
    );
    await tx
      .insertInto('audit_checkpoint')
      .values({ size: String(size), public_key: signer.publicKey, root, frontier, note, signature })
      .execute();
    return { size, root, note, publicKey: signer.publicKey, signature };
  });
}

/** null: none was ever signed. */
export async function newestCheckpoint(db: Db | Tx): Promise<StoredCheckpoint | null> {
  const row = await db
    .selectFrom('audit_checkpoint')
    .selectAll()
    .orderBy('size', 'desc')
    .orderBy('signed_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : toCheckpoint(row);
}

/** Is it signed, in both its forms, by the key it names? @param head the chain's hash at its size */
export function isGenuine({ size, root, note, publicKey, signature }: Checkpoint, head: Buffer): boolean {
  const statement = statementText(wholeLog(size, root, head, note));
  return (
    isSignedBy(publicKey, statement, Buffer.from(signature, 'base64')) && isNoteOf(note, { size, root }, publicKey)
  );
}

/** Tree and chain as they stood at an earlier checkpoint, once it is certain that the log still leads there. */
async function resume(
  tx: Tx,
  earlier: StoredCheckpoint,
  signer: Signer,
): Promise<{ frontier: Frontier; head: Buffer }> {
  const head = await linkAt(tx, earlier.size);
  // The chain's hash stands for every record before it, so this one signature vouches for them all.
  if (head === null || !isGenuine(earlier, head)) throw forked(earlier.size);
  if (earlier.publicKey !== signer.publicKey) {
    // Signed by another key, which anybody may have: the leaves themselves have to lead to it and to our own last one.
    const frontier = new Frontier();
    const own = await newestOf(tx, signer.publicKey);
    const before = own === null ? zeroHash : await grow(tx, frontier, zeroHash, own.size);
    if (own !== null && !sameBytes(frontier.root(), own.root)) throw forked(own.size);
    await grow(tx, frontier, before, earlier.size);
    if (!sameBytes(frontier.root(), earlier.root)) throw forked(earlier.size);
    return { frontier, head };
  }
  const frontier = new Frontier(earlier.frontier.map(({ size, hash }) => ({ size, hash: Buffer.from(hash, 'hex') })));
  if (frontier.end !== earlier.size || !sameBytes(frontier.root(), earlier.root)) throw forked(earlier.size);
  return { frontier, head };
}

/** Adds the links up to a size. @returns the chain's hash there */
async function grow(tx: Tx, frontier: Frontier, head: Buffer, upTo: number): Promise<Buffer> {
  let previous = head;
  for await (const { seq, leaf, hash } of readLinks(tx, frontier.end, upTo)) {
    if (seq !== frontier.end + 1 || !sameBytes(hash, chainHash(previous, leaf))) throw forked(frontier.end);
    frontier.append({ size: 1, hash: leaf });
    previous = hash;
  }
  return previous;
}

async function newestOf(tx: Tx, publicKey: string): Promise<TreeHead | null> {
  const row = await tx
    .selectFrom('audit_checkpoint')
    .select(['size', 'root'])
    .where('public_key', '=', publicKey)
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : { ...row, size: Number(row.size) };
}

function toCheckpoint(row: Selectable<AuditCheckpointTable>): StoredCheckpoint {
  const { size, root, note, public_key, signature, frontier } = row;
  return { size: Number(size), root, note, publicKey: public_key, signature, frontier };
}

function forked(size: number): SendoffError {
  return new SendoffError(`the audit log no longer leads to what was signed or chained at ${size}`, {
    code: 'AUDIT_FORKED',
    blame: 'remote',
    remedy: 'nothing more is signed; run `sendoff audit verify` and compare with an export kept elsewhere',
    facts: { size },
  });
}
