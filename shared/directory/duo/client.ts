import { createHash, createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import type { DuoSource } from '#shared/config/sources/duo.js';
import { messageOf } from '#shared/errors.js';
import { DirectoryUnavailable } from '../directory.js';
import { DuoFailure, DuoSuccess } from './schema.js';

const timeoutMs = 15_000;
const connectMs = 5_000;
/** A thousand entries of the log come to about two megabytes. */
const maxBytes = 16 * 1024 * 1024;
const retryMs = 5_000;
/** Duo names no time with its 429; its own clients wait up to 32 s. */
const throttledMs = 32_000;
const longestMs = 15 * 60_000;
/** A clock that is further off is worth a word: Duo refuses signatures whose Date is minutes away. */
export const skewMs = 60_000;

/** As the Admin Panel calls them. */
export const rights = { resource: 'Grant resource - Read', log: 'Grant read log' };

export type DuoParameters = Record<string, string>;

export type DuoAnswer =
  | { kind: 'ok'; response: unknown; metadata?: unknown }
  /** In Duo's own words, not those of something in between. */
  | { kind: 'not-found' }
  | { kind: 'forbidden' };

/** Reads Duo's Admin API (docs/decisions/0022-duo-client.md): signed, one try, no redirect followed. */
export interface DuoClient {
  /** @throws DirectoryUnavailable for anything but a clear answer */
  ask(path: string, parameters?: DuoParameters): Promise<DuoAnswer>;
  /** By how much this machine's clock was ahead of Duo's at the last answer; null: Duo never answered. */
  aheadMs(): number | null;
}

export function createDuoClient(name: string, config: DuoSource, timeout = timeoutMs): DuoClient {
  const { apiHost, integrationKey, secretKey, baseUrl = `https://${apiHost}` } = config;
  const agent = new Agent({
    connect: { timeout: connectMs },
    connections: 4,
    pipelining: 1,
    maxResponseSize: maxBytes,
  });
  let ahead: number | null = null;

  async function exchange(path: string, parameters: DuoParameters): Promise<Exchange> {
    const date = new Date().toUTCString();
    const query = canonical(parameters);
    try {
      const answer = await request(`${baseUrl}${path}${query === '' ? '' : `?${query}`}`, {
        dispatcher: agent,
        headers: {
          host: apiHost,
          date,
          authorization: authorizationOf({ integrationKey, secretKey, host: apiHost, path, query, date }),
          accept: 'application/json',
          // Nothing is unpacked, so nothing small can become something huge.
          'accept-encoding': 'identity',
          'user-agent': 'sendoff',
        },
        signal: AbortSignal.timeout(timeout),
      });
      return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
    } catch (error) {
      throw unavailable(name, codeOf(error) || messageOf(error), retryMs);
    }
  }

  return {
    aheadMs: () => ahead,
    async ask(path, parameters = {}) {
      const { status, headers, text } = await exchange(path, parameters);
      ahead = aheadOf(headers.date) ?? ahead;
      const body = parseJson(text);
      if (status === 200) {
        const success = DuoSuccess.safeParse(body);
        if (success.success) return { kind: 'ok', ...success.data };
        throw unavailable(name, 'its answer has not the documented form', retryMs);
      }
      const failure = DuoFailure.safeParse(body);
      const code = failure.success ? failure.data.code : null;
      if (code !== null && Math.floor(code / 100) === status) {
        if (status === 404) return { kind: 'not-found' };
        if (status === 403) return { kind: 'forbidden' };
      }
      const said = failure.success ? ` ${code} ${(failure.data.message ?? '').slice(0, 200)}`.trimEnd() : '';
      throw unavailable(
        name,
        `HTTP ${status}${said}${status === 401 ? clockWords(ahead) : ''}`,
        status === 429 ? waitOf(headers['retry-after']) : retryMs,
        { status, code },
      );
    },
  };
}

interface Exchange {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

interface Signed {
  integrationKey: string;
  secretKey: string;
  host: string;
  path: string;
  query: string;
  date: string;
}

/** Signature version 5 of a GET: no body and no X-Duo headers, of which it wants the hashes all the same. */
export function authorizationOf({ integrationKey, secretKey, host, path, query, date }: Signed): string {
  const nothing = createHash('sha512').update('').digest('hex');
  const lines = [date, 'GET', host.toLowerCase(), path, query, nothing, nothing];
  const signature = createHmac('sha512', secretKey).update(lines.join('\n')).digest('hex');
  return `Basic ${Buffer.from(`${integrationKey}:${signature}`).toString('base64')}`;
}

/** Sorted and encoded by RFC 3986: signed so and sent so, letter for letter. */
export function canonical(parameters: DuoParameters): string {
  return Object.entries(parameters)
    .map(([key, value]) => `${encode(key)}=${encode(value)}`)
    .sort()
    .join('&');
}

function encode(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function aheadOf(date: string | string[] | undefined): number | null {
  const time = Date.parse(String(date));
  return Number.isNaN(time) ? null : Date.now() - time;
}

/** What a wrong clock does looks like a wrong key. */
export function clockWords(ahead: number | null): string {
  if (ahead === null || Math.abs(ahead) <= skewMs) return '';
  const seconds = Math.round(Math.abs(ahead) / 1_000);
  return `; this machine’s clock is ${seconds} s ${ahead > 0 ? 'ahead of' : 'behind'} Duo’s`;
}

function waitOf(retryAfter: string | string[] | undefined): number {
  const text = String(retryAfter);
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? throttledMs : Math.min(Math.max(ms, 1_000), longestMs);
}

function unavailable(
  name: string,
  what: string,
  waitMs: number,
  facts: Record<string, unknown> = {},
): DirectoryUnavailable {
  return new DirectoryUnavailable(`the directory ${name} gave no clear answer: ${what}`, waitMs, {
    code: 'DIRECTORY_UNAVAILABLE',
    blame: 'remote',
    facts,
  });
}

function codeOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'TIMEOUT';
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
