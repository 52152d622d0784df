import { SendoffError } from '#shared/errors.js';

// What comes from outside (display names, addresses, other systems' errors) goes to a model as data: nothing in it is
// invisible, none of it is long, and the whole stays within bounds.

const longestText = 1_000;
const mostBytes = 200_000;

/**
 * The result as it is handed over. Control characters become blanks; what a reader would not see at all, such as tags
 * and marks that turn the direction of text, becomes U+FFFD. The two joiners stay: names are written with them.
 */
export function presentable<T>(value: T): T {
  return visit(value) as T;
}

/** @throws SendoffError RESULT_TOO_LARGE */
export function assertSmall(json: string): void {
  if (Buffer.byteLength(json) <= mostBytes) return;
  throw new SendoffError(`the result is larger than ${mostBytes / 1_000} kB`, {
    code: 'RESULT_TOO_LARGE',
    blame: 'input',
    remedy: 'ask for fewer with `limit`, or for less with a filter',
  });
}

function visit(value: unknown): unknown {
  if (typeof value === 'string') return clean(value);
  if (Array.isArray(value)) return value.map(visit);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [clean(key), visit(inner)]));
}

function clean(text: string): string {
  const visible = text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/(?![\u200c\u200d])[\p{Cf}\p{Co}\p{Cs}]/gu, '\ufffd');
  return visible.length > longestText ? `${visible.slice(0, longestText)}…` : visible;
}
