import { canonical, chainHash, commitTo, leafHash, saltBytes, sameBytes, zeroHash } from './hashes.js';
import { type PlacedRecord, toLine } from './line.js';
import { Frontier } from './merkle.js';

/** What can be wrong with a log. `forked`: every record fits the next, but they don't lead to the signed root. */
export type Defect =
  | 'empty'
  | 'malformed'
  | 'edited'
  | 'missing'
  | 'inserted'
  | 'reordered'
  | 'truncated'
  | 'bad-signature'
  | 'forked';

export class Flaw extends Error {
  readonly defect: Defect;
  /** The first bad record; null when it is not one of them. */
  readonly seq: number | null;

  constructor(defect: Defect, seq: number | null, detail: string) {
    super(detail);
    this.defect = defect;
    this.seq = seq;
  }
}

/** Records taken one after the other; remembers no more of them than where chain and tree stand. */
export class Trail {
  /** Of the first record taken. */
  first: number | null = null;
  /** The chain's hash before the first record, and the last one's. */
  before: Buffer = zeroHash;
  after: Buffer = zeroHash;
  /** Records whose personal part was erased. */
  erased = 0;
  tree = new Frontier();

  /** Which record comes next; null before the first. */
  get next(): number | null {
    return this.first === null ? null : this.tree.end + 1;
  }

  /** @param text the line it was read from, if it was: it must be, to the last sign, what an export writes */
  take(record: PlacedRecord, text: string | null): void {
    const { seq, hashed, personal, prevHash, hash } = record;
    if (this.first === null) this.begin(record);
    const { leaf, written, isProven } = workOut(record, this.tree.end + 1);
    const follows = sameBytes(prevHash, this.after);
    const isItself = sameBytes(hash, chainHash(prevHash, leaf));
    this.checkPlace(seq, follows && isItself);
    // Compared as text, a key that stands twice shows, of which a reader might see the other one.
    if (text !== null && text !== written) {
      throw new Flaw('edited', seq, `record ${seq} holds something that was never recorded`);
    }
    if (!isItself) throw new Flaw('edited', seq, `record ${seq} was changed after it was recorded`);
    if (!follows)
      throw new Flaw('edited', seq, `record ${seq} does not follow on the one before it: one of the two was changed`);
    if (!isProven) throw new Flaw('edited', seq, `record ${seq} names somebody else than was recorded`);
    if (hashed.commit !== null && personal === null) this.erased += 1;
    this.tree.append({ size: 1, hash: leaf });
    this.after = hash;
  }

  private begin({ seq, prevHash }: PlacedRecord): void {
    this.first = seq;
    this.tree = new Frontier([], seq - 1);
    if (seq > 1) this.before = prevHash;
    this.after = this.before;
  }

  private checkPlace(seq: number, fits: boolean): void {
    const next = this.tree.end + 1;
    if (seq === next) return;
    if (fits) throw new Flaw('edited', next, `record ${next} calls itself ${seq}`);
    if (seq > next) throw new Flaw('missing', next, `record ${next} is missing`);
    if (seq < (this.first ?? seq)) throw new Flaw('reordered', seq, `record ${seq} stands where ${next} belongs`);
    throw new Flaw('inserted', seq, `record ${seq} stands a second time, where ${next} belongs`);
  }
}

/** What a record's bytes come to, whatever was put into it. */
function workOut(record: PlacedRecord, place: number): { leaf: Buffer; written: string; isProven: boolean } {
  try {
    const leaf = leafHash(canonical(record.hashed));
    return { leaf, written: JSON.stringify(toLine(record)), isProven: isProven(record) };
  } catch {
    throw new Flaw('malformed', place, `record ${place} holds what no record can hold`);
  }
}

function isProven({ hashed: { commit }, personal }: PlacedRecord): boolean {
  // Erased as a whole, or never there.
  if (personal === null) return true;
  // HMAC fills a short key up with zeros: a salt with zeros behind it would prove the same.
  return commit !== null && personal.salt.length === saltBytes && commitTo(personal.data, personal.salt) === commit;
}
