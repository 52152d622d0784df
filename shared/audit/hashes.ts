import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import canonicalizeUntyped from 'canonicalize';
import { SendoffError } from '#shared/errors.js';
import type { PersonalPart } from './record.js';

/** What the first link of the chain follows on. */
export const zeroHash = Buffer.alloc(32);
export const saltBytes = 32;

const leafPrefix = Buffer.from([0]);
const nodePrefix = Buffer.from([1]);
const linkPrefix = Buffer.from([2]);

/**
 * RFC 8785: the one way in which a record becomes bytes.
 * @throws SendoffError AUDIT_NOT_JSON
 */
export function canonical(value: unknown): string {
  // The package's own type promises a string where it returns undefined for what JSON can't say.
  const canonicalize = canonicalizeUntyped as unknown as (value: unknown) => string | undefined;
  let cause: unknown;
  try {
    const text = canonicalize(value);
    if (text !== undefined) return text;
  } catch (error) {
    cause = error;
  }
  throw new SendoffError('an audit record holds something that is not JSON', {
    code: 'AUDIT_NOT_JSON',
    blame: 'bug',
    cause,
  });
}

/** Binds a record to its personal part; without the salt the part cannot be guessed from it. */
export function commitTo(personal: PersonalPart, salt: Buffer): string {
  return createHmac('sha256', salt).update(canonical(personal)).digest('hex');
}

/** Leaf of the tree. RFC 9162 §2.1.1: the prefixes keep leaves and nodes apart. */
export function leafHash(canonicalText: string): Buffer {
  return createHash('sha256').update(leafPrefix).update(canonicalText).digest();
}

/** Inner node of the tree. */
export function nodeHash(left: Buffer, right: Buffer): Buffer {
  return createHash('sha256').update(nodePrefix).update(left).update(right).digest();
}

/** Link of the chain. */
export function chainHash(previous: Buffer, leaf: Buffer): Buffer {
  return createHash('sha256').update(linkPrefix).update(previous).update(leaf).digest();
}

export function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
