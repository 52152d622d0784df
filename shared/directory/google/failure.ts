import { z } from 'zod';
import { DirectoryUnavailable } from '../directory.js';

const retryMs = 5_000;
const throttledMs = 30_000;
/** A day's quota comes back at midnight; there is no use in asking every half minute. */
const exhaustedMs = 15 * 60_000;
const longestMs = 60 * 60_000;

/** Google throttles with 403 as well as with 429 (idp-events.md §3; the Directory API's error codes). */
const throttles = new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'quotaExceeded', 'dailyLimitExceeded']);

/** Google gave no clear answer. `reason` is its own word, such as `forbidden` or `unauthorized_client`. */
export class GoogleUnavailable extends DirectoryUnavailable {
  readonly status: number | null;
  readonly reason: string | null;

  constructor(name: string, { what, status, reason, delayMs }: Refusal) {
    super(`the directory ${name} gave no clear answer: ${what}`, delayMs, {
      code: 'DIRECTORY_UNAVAILABLE',
      blame: 'remote',
      facts: { status, reason },
    });
    this.status = status;
    this.reason = reason;
  }
}

interface Refusal {
  what: string;
  status: number | null;
  reason: string | null;
  delayMs: number;
}

const ApiError = z.object({
  error: z.object({
    message: z.string().nullish(),
    status: z.string().nullish(),
    errors: z.array(z.object({ reason: z.string().nullish() })).nullish(),
  }),
});
/** The token endpoint speaks OAuth (RFC 6749 §5.2). */
const TokenError = z.object({ error: z.string(), error_description: z.string().nullish() });
const Thrown = z.object({
  status: z.number().nullish(),
  code: z.union([z.string(), z.number()]).nullish(),
  response: z.object({ status: z.number(), headers: z.unknown(), data: z.unknown() }).nullish(),
});

/** What a library threw. Nothing of its request is kept: that holds the token, or what a token is given for. */
export function unavailable(name: string, error: unknown): GoogleUnavailable {
  if (error instanceof GoogleUnavailable) return error;
  const thrown = Thrown.safeParse(error).data;
  const response = thrown?.response ?? null;
  if (response === null) {
    const code = typeof thrown?.code === 'string' ? thrown.code : null;
    const what = code ?? (error instanceof Error ? error.message : 'no answer').slice(0, 200);
    return new GoogleUnavailable(name, { what, status: null, reason: code, delayMs: retryMs });
  }
  const { reason, said } = readBody(response.data);
  const what = [`HTTP ${response.status}`, reason, said && `(${said.slice(0, 200)})`].filter(Boolean).join(' ');
  return new GoogleUnavailable(name, {
    what,
    status: response.status,
    reason,
    delayMs: waitFor(response.status, reason, retryAfter(response.headers)),
  });
}

export function unclear(name: string, why: string): GoogleUnavailable {
  return new GoogleUnavailable(name, { what: why, status: null, reason: null, delayMs: throttledMs });
}

function readBody(data: unknown): { reason: string | null; said: string | null } {
  const api = ApiError.safeParse(data);
  if (api.success) {
    const { errors, status, message } = api.data.error;
    return { reason: errors?.[0]?.reason ?? status ?? null, said: message ?? null };
  }
  const token = TokenError.safeParse(data);
  return token.success
    ? { reason: token.data.error, said: token.data.error_description ?? null }
    : { reason: null, said: null };
}

function waitFor(status: number, reason: string | null, saidMs: number | null): number {
  if (saidMs !== null) return saidMs;
  if (reason === 'dailyLimitExceeded') return exhaustedMs;
  return status === 429 || throttles.has(reason ?? '') ? throttledMs : retryMs;
}

/** Seconds or a date. */
function retryAfter(headers: unknown): number | null {
  const value = headers instanceof Headers ? headers.get('retry-after') : null;
  if (value === null) return null;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 1_000), longestMs);
}
