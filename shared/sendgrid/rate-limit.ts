// What an answer's headers say of the endpoint's limit (sendgrid.md §2, rate limits).

/** A closed window that ends later than this is not believed. */
export const longestWindowMs = 300_000;

export type Headers = Record<string, string | string[] | undefined>;

export interface RateLimit {
  /** Calls per window. */
  quota: number;
  remaining: number;
  /** End of the window, Unix seconds by the server's clock. */
  resetAt: number;
  /** The server's clock when it answered, Unix seconds; null: it did not say. */
  serverNow: number | null;
}

/** @returns null unless all three headers are there and make sense */
export function rateLimitIn(headers: Headers): RateLimit | null {
  const quota = whole(headers['x-ratelimit-limit']);
  const remaining = whole(headers['x-ratelimit-remaining']);
  const resetAt = whole(headers['x-ratelimit-reset']);
  if (quota === null || quota === 0 || remaining === null || resetAt === null) return null;
  const date = dateIn(headers.date);
  return { quota, remaining, resetAt, serverNow: date === null ? null : Math.floor(date / 1_000) };
}

/**
 * How long a 429 closes its endpoint: `Retry-After` (seconds or a date), else what is left of the window, at most five
 * minutes. Both are counted by the server's clock where it tells the time: ours may differ.
 * @returns null when it does not say
 */
export function waitAfter429(headers: Headers, now = Date.now()): number | null {
  const serverNow = dateIn(headers.date) ?? now;
  const seconds = whole(headers['retry-after']);
  if (seconds !== null) return bounded(seconds * 1_000);
  const until = dateIn(headers['retry-after']);
  if (until !== null) return bounded(until - serverNow);
  const resetAt = whole(headers['x-ratelimit-reset']);
  return resetAt === null || resetAt === 0 ? null : bounded(resetAt * 1_000 - serverNow);
}

/** Waiters don't wake together. */
export function jittered(ms: number): number {
  return ms + Math.random() * Math.min(1_000, ms / 4);
}

function bounded(ms: number): number {
  return Math.min(Math.max(ms, 250), longestWindowMs);
}

function whole(header: string | string[] | undefined): number | null {
  return typeof header === 'string' && /^\d{1,15}$/.test(header.trim()) ? Number(header) : null;
}

function dateIn(header: string | string[] | undefined): number | null {
  const at = typeof header === 'string' && /[a-z]/i.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}
