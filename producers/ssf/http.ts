import { request } from 'undici';
import { messageOf, WaitError } from '#shared/errors.js';

const timeoutMs = 5_000;
/** A hundred SETs and more. */
const maxBytes = 16 * 1024 * 1024;
const retryMs = 5_000;
const longestWaitMs = 60 * 60_000;

export interface Asked {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
  /** An object goes as JSON, a text as a form. */
  body?: object | string;
}

export interface Reply {
  status: number;
  /** Seconds or a date, as it came. */
  retryAfter: string | null;
  /** undefined: no JSON. */
  body: unknown;
}

/** One request, and no redirect: a token must not travel where nobody sent it. @throws WaitError without an answer */
export async function ask({ method, url, headers = {}, body }: Asked): Promise<Reply> {
  try {
    const response = await request(url, {
      method,
      headers: { accept: 'application/json', ...(body === undefined ? {} : contentType(body)), ...headers },
      body: typeof body === 'object' ? JSON.stringify(body) : (body ?? null),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    const retryAfter = response.headers['retry-after'];
    return {
      status: response.statusCode,
      retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
      body: parse(Buffer.concat(chunks)),
    };
  } catch (error) {
    throw unavailable(`${new URL(url).host} could not be asked: ${messageOf(error)}`);
  }
}

/** The transmitter gave no clear answer: asked again later, and nothing is concluded. */
export function unavailable(message: string, reply?: Reply, waitMs = retryMs): WaitError {
  return new WaitError(message, waitOf(reply?.retryAfter ?? null) ?? waitMs, {
    code: 'SSF_UNAVAILABLE',
    blame: 'remote',
    facts: { status: reply?.status ?? null },
  });
}

function waitOf(retryAfter: string | null): number | null {
  if (retryAfter === null) return null;
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 1_000), longestWaitMs);
}

function contentType(body: object | string): Record<string, string> {
  return { 'content-type': typeof body === 'object' ? 'application/json' : 'application/x-www-form-urlencoded' };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
