import { Agent, request } from 'undici';
import { messageOf } from '#shared/errors.js';
import { DirectoryUnavailable } from '../directory.js';

const maxBytes = 8 * 1024 * 1024;
const retryMs = 5_000;
/** The budget is counted by the hour; nobody waits for longer than this before looking again. */
const throttledMs = { unsaid: 60_000, longest: 3_600_000 };
const ownerRemedy =
  'if every call answers 500, the owner of the API credentials was deleted in OneLogin: make new credentials as a service user';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** undefined: it is no JSON. */
  body: unknown;
}

export interface Outgoing {
  method: 'GET' | 'POST';
  /** From `/` on. */
  path: string;
  headers: Record<string, string>;
  body?: string;
}

/** One exchange with one OneLogin account: no redirect is followed and nothing is repeated. */
export interface Transport {
  /** @throws DirectoryUnavailable when no answer comes, or one that says nothing: throttling, 5xx */
  exchange(outgoing: Outgoing): Promise<Answer>;
}

export function createTransport(name: string, baseUrl: string, timeoutMs: number): Transport {
  const agent = new Agent({
    connect: { timeout: Math.min(timeoutMs, 5_000) },
    connections: 8,
    pipelining: 1,
    maxResponseSize: maxBytes,
    keepAliveTimeout: 4_000,
  });
  return {
    async exchange({ method, path, headers, body = null }) {
      let answer: Answer;
      try {
        const response = await request(`${baseUrl}${path}`, {
          dispatcher: agent,
          method,
          headers: { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'sendoff', ...headers },
          body,
          signal: AbortSignal.timeout(timeoutMs),
        });
        answer = {
          status: response.statusCode,
          headers: response.headers,
          body: parseJson(await response.body.text()),
        };
      } catch (error) {
        throw unavailable(name, `no whole answer (${codeOf(error)})`);
      }
      const wait = throttledFor(answer);
      if (wait !== null) throw unavailable(name, `HTTP ${answer.status}, too many calls`, { delayMs: wait });
      if (answer.status >= 500) {
        throw unavailable(name, `HTTP ${answer.status}`, answer.status === 500 ? { remedy: ownerRemedy } : {});
      }
      return answer;
    },
  };
}

/** Anything but a clear answer. The path and the headers stay out of it: they name people and hold secrets. */
export function unavailable(
  name: string,
  what: string,
  { delayMs = retryMs, remedy }: { delayMs?: number; remedy?: string } = {},
): DirectoryUnavailable {
  return new DirectoryUnavailable(`the directory ${name} gave no clear answer: ${what}`, delayMs, {
    code: 'DIRECTORY_UNAVAILABLE',
    blame: 'remote',
    ...(remedy === undefined ? {} : { remedy }),
  });
}

/** A 429, or a refusal with nothing left of the 5,000 calls an hour. @returns how long to wait; null: not throttled */
function throttledFor({ status, headers }: Answer): number | null {
  if (status !== 429 && !(status >= 400 && status < 500 && headers['x-ratelimit-remaining'] === '0')) return null;
  // Both in seconds from now.
  const [said] = [headers['retry-after'], headers['x-ratelimit-reset']]
    .map((value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : Number.NaN))
    .filter((seconds) => seconds >= 0);
  if (said === undefined) return throttledMs.unsaid;
  return Math.min(Math.max(said * 1_000, 1_000), throttledMs.longest);
}

function codeOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'timeout';
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : messageOf(error);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
