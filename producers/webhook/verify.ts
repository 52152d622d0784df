import { isUtf8 } from 'node:buffer';
import { createPublicKey, type KeyObject, verify as verifyBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { HookRequest, Verdict } from '../source.js';
import { onlyHeader } from '../untrusted.js';

/** The specification's example; the reference library allows as much (idp-events.md §7). */
const toleranceSeconds = 5 * 60;
const refused: Verdict = { ok: false, why: 'unauthenticated' };

/** What the headers say, each of which came exactly once and in the documented form. */
interface Signed {
  id: string;
  timestamp: string;
  /** As `v1,…`, several while the sender rotates. */
  signatures: string[];
}

/** @returns whether one of the signatures is made with the key over these bytes */
type Check = (signed: Signed, body: Buffer) => boolean;

/**
 * @param secrets `whsec_…` (HMAC, v1) or `whpk_…` (Ed25519, v1a); each is tried, whichever fits
 * @returns verifies one request
 */
export function createVerifier(secrets: readonly string[]): (request: HookRequest) => Verdict {
  const checks = secrets.map((secret) =>
    secret.startsWith('whpk_') ? publicKeyCheck(secret) : sharedSecretCheck(secret),
  );
  return ({ rawHeaders, body }) => {
    if (checks.length === 0) return { ok: false, why: 'misconfigured' };
    const signed = signedOf(rawHeaders);
    if (signed === null || !isRecent(signed.timestamp) || !isUnmistakable(body)) return refused;
    const matches = checks.map((check) => check(signed, body));
    return matches.includes(true) ? { ok: true } : refused;
  };
}

function sharedSecretCheck(secret: string): Check {
  const webhook = new Webhook(secret);
  return ({ id, timestamp, signatures }, body) => {
    const mine = signatures.filter((one) => /^v1,[A-Za-z0-9+/]{43}=$/.test(one));
    if (mine.length === 0) return false;
    try {
      webhook.verify(
        body,
        { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': mine.join(' ') },
        { jsonParse: false },
      );
      return true;
    } catch {
      return false;
    }
  };
}

/** The package knows no v1a. */
function publicKeyCheck(secret: string): Check {
  const key = publicKeyOf(secret);
  return ({ id, timestamp, signatures }, body) => {
    const text = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
    return signatures.some((one) => {
      const base64 = /^v1a,([A-Za-z0-9+/]{86}==)$/.exec(one)?.[1];
      if (base64 === undefined) return false;
      const signature = Buffer.from(base64, 'base64');
      // Bits behind the last byte would make two texts of one signature.
      return signature.toString('base64') === base64 && verifyBytes(null, text, key, signature);
    });
  };
}

function publicKeyOf(secret: string): KeyObject {
  const x = Buffer.from(secret.slice('whpk_'.length), 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

function signedOf(rawHeaders: readonly string[]): Signed | null {
  const id = onlyHeader(rawHeaders, 'webhook-id');
  const timestamp = onlyHeader(rawHeaders, 'webhook-timestamp');
  const signature = onlyHeader(rawHeaders, 'webhook-signature');
  if (id === null || timestamp === null || signature === null) return null;
  // The package reads `12ab` as 12, and node as many signatures as a header holds.
  if (!/^[\x21-\x7e]{1,200}$/.test(id) || !/^[1-9]\d{0,11}$/.test(timestamp) || signature.length > 4_000) return null;
  return { id, timestamp, signatures: signature.split(' ') };
}

function isRecent(timestamp: string): boolean {
  return Math.abs(Date.now() / 1_000 - Number(timestamp)) <= toleranceSeconds;
}

/**
 * Can these bytes be signed in one way only? The package turns them into text first, where all that is no UTF-8 looks
 * alike; and digits with a dot could be the end of the id and time before them.
 */
function isUnmistakable(body: Buffer): boolean {
  return isUtf8(body) && !/^\d+\./.test(body.subarray(0, 16).toString('latin1'));
}
