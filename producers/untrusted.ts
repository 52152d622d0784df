import { createHash } from 'node:crypto';
import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import { sameSecret } from '#shared/secrets.js';
import type { Verdict } from './source.js';

// What every source does with what comes from outside, before anything in it is believed.

/** Nothing that a provider sends is nested so deeply (reliability.md §6). */
const deepest = 32;

/** @returns undefined for what is no JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Can it be walked and written down, and does it name no key that would reach a prototype? */
export function isHarmless(value: unknown, depth = deepest): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  return Object.entries(value).every(
    ([key, inner]) => key !== '__proto__' && key !== 'constructor' && isHarmless(inner, depth - 1),
  );
}

/** What is not harmless, as an entry of its own: kept as far as it goes. */
export function poison(value: unknown, what: string): NormalizedEntry {
  return unreadable(JSON.stringify(cut(value, deepest)), `${what} is nested too deeply or names forbidden keys`);
}

/** Put aside and shown, for the sender would only send it again. The same bytes again are the same entry. */
export function unreadable(raw: string, reason: string): NormalizedEntry {
  return { eventId: digestOf(raw), occurredAt: null, raw, outcome: 'quarantined', senderType: null, reason };
}

/** An id for what has none. */
export function digestOf(bytes: string | Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** @returns null when the header is not there, or there twice: node's parsed form would hide the second */
export function onlyHeader(rawHeaders: readonly string[], name: string): string | null {
  const values = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
  return values.length === 1 ? (values[0] ?? null) : null;
}

/** Every secret is compared, so that rotation takes no longer or shorter to refuse. */
export function isOneOf(given: string, secrets: readonly string[]): boolean {
  return secrets.map((secret) => sameSecret(given, secret)).includes(true);
}

/** For a sender who proves itself by one header and nothing else, letter for letter as it was configured. */
export function verifyHeader(rawHeaders: readonly string[], name: string, secrets: readonly string[]): Verdict {
  const usable = secrets.filter((secret) => secret !== '');
  if (usable.length === 0) return { ok: false, why: 'misconfigured' };
  const given = onlyHeader(rawHeaders, name);
  return given !== null && isOneOf(given, usable) ? { ok: true } : { ok: false, why: 'unauthenticated' };
}

/** The same without what lies too deep to be written down. */
function cut(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '…';
  if (Array.isArray(value)) return value.map((inner) => cut(inner, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cut(inner, depth - 1)]));
}
