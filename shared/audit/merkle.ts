import { createHash } from 'node:crypto';
import { nodeHash, sameBytes } from './hashes.js';

// The tree of RFC 9162 §2.1, kept as its complete subtrees from left to right: log n hashes for n leaves.

/** A complete subtree: a power of two leaves, beginning at a multiple of that many. */
export interface Subtree {
  size: number;
  hash: Buffer;
}

/** A range of leaves growing at its right end: at most two subtrees of each size. */
export class Frontier {
  private readonly subtrees: (Subtree & { begin: number })[] = [];
  private next: number;

  /** @param begin index of the range's first leaf in the whole tree */
  constructor(subtrees: readonly Subtree[] = [], begin = 0) {
    this.next = begin;
    for (const subtree of subtrees) this.append(subtree);
  }

  /** Index behind the last leaf; of a range that begins at 0, the number of leaves. */
  get end(): number {
    return this.next;
  }

  /** Takes the next subtree, merging siblings; a leaf is a subtree of size 1. */
  append({ size, hash }: Subtree): void {
    let merged = { begin: this.next, size, hash };
    this.next += size;
    for (;;) {
      const left = this.subtrees.at(-1);
      if (left === undefined || left.size !== merged.size || left.begin % (2 * left.size) !== 0) break;
      this.subtrees.pop();
      merged = { begin: left.begin, size: left.size * 2, hash: nodeHash(left.hash, merged.hash) };
    }
    this.subtrees.push(merged);
  }

  /** The subtrees that the range consists of, left to right. */
  parts(): Subtree[] {
    return this.subtrees.map(({ size, hash }) => ({ size, hash }));
  }

  /** Root of the tree over a range that begins at 0 (RFC 9162 §2.1.1); of no leaves, the hash of nothing. */
  root(): Buffer {
    const [last, ...rest] = this.parts().reverse();
    if (last === undefined) return createHash('sha256').digest();
    return rest.reduce((right, left) => nodeHash(left.hash, right), last.hash);
  }
}

/** Sizes of the complete subtrees that make up the leaves from `begin` up to, not including, `end`. */
export function subtreeSizes(begin: number, end: number): number[] {
  const sizes: number[] = [];
  for (let at = begin; at < end; ) {
    let size = 1;
    while (at % (size * 2) === 0 && at + size * 2 <= end) size *= 2;
    sizes.push(size);
    at += size;
  }
  return sizes;
}

/** What lies before and after a range: with the range itself it makes up the whole tree. */
export interface RangeProof {
  left: Subtree[];
  right: Subtree[];
}

/** Do these leaves stand at [`begin`, `range.end`) of the tree with this size and root? */
export function isInTree(
  range: Frontier,
  begin: number,
  { left, right }: RangeProof,
  tree: { size: number; root: Buffer },
): boolean {
  // Exactly the subtrees that belong there: with other cuts a proof could hide leaves or show nodes as leaves.
  if (!hasSizes(left, subtreeSizes(0, begin)) || !hasSizes(right, subtreeSizes(range.end, tree.size))) return false;
  const whole = new Frontier([...left, ...range.parts(), ...right]);
  return whole.end === tree.size && sameBytes(whole.root(), tree.root);
}

function hasSizes(subtrees: Subtree[], sizes: number[]): boolean {
  return subtrees.length === sizes.length && subtrees.every(({ size }, index) => size === sizes[index]);
}
