import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { z } from 'zod';
import { SendoffError } from '#shared/errors.js';
import type { ServerAddress } from './address.js';
import { codeOf, failureOf, notUnderstood, unreachable } from './failures.js';

const connectMs = 10_000;
/** The server asks others before it answers some questions; of nothing else is anybody made to wait so long. */
export const slowMs = 150_000;
const usualMs = 30_000;
const maxBytes = 64 * 1024 * 1024;
/** Whatever a request does, it does once: every write carries a key of its own. */
const attempts = 3;
const pauseMs = 500;
const worthAnotherTry = /^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/;

type Exchange = Pick<NonNullable<Parameters<typeof request>[1]>, 'dispatcher' | 'signal' | 'headersTimeout'>;
type Query = Record<string, string | number | boolean | Date | null | undefined>;

interface Asked {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below /api/v1, from `/` on. */
  path: string;
  query?: Query;
  body?: object;
  withinMs?: number;
}

/** A Sendoff that is asked over its API (docs/api.md). No redirect is followed, and certificates are checked. */
export interface Server {
  /** @throws SendoffError that says what to do: see failures.ts */
  get<S extends z.ZodType>(path: string, answer: S, query?: Query, withinMs?: number): Promise<z.infer<S>>;
  post<S extends z.ZodType>(path: string, answer: S, body: object, withinMs?: number): Promise<z.infer<S>>;
  put<S extends z.ZodType>(path: string, answer: S, body: object): Promise<z.infer<S>>;
  delete<S extends z.ZodType>(path: string, answer: S): Promise<z.infer<S>>;
  /** A text as it comes, in pieces. */
  stream(path: string, query: Query): AsyncGenerator<string>;
  close(): Promise<void>;
}

export function openServer({ origin, token }: ServerAddress): Server {
  const agent = new Agent({
    connect: { timeout: connectMs, rejectUnauthorized: true },
    connections: 4,
    maxResponseSize: maxBytes,
  });
  // An export has no end that could be told beforehand; it may only not stand still.
  const streaming = new Agent({ connect: { timeout: connectMs, rejectUnauthorized: true }, bodyTimeout: usualMs });

  const send = ({ method, path, query, body }: Asked, more: Exchange, key: string) =>
    request(`${origin}/api/v1${path}${textOf(query)}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        'user-agent': 'sendoff-cli',
        ...(method === 'GET' ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      ...more,
    });

  async function ask<S extends z.ZodType>(asked: Asked, answer: S): Promise<z.infer<S>> {
    const key = randomUUID();
    for (let attempt = 1; ; attempt += 1) {
      const isLast = attempt === attempts;
      try {
        const signal = AbortSignal.timeout(asked.withinMs ?? usualMs);
        const response = await send(asked, { dispatcher: agent, signal }, key);
        const body = parse(await response.body.text());
        const { statusCode: status } = response;
        if (status >= 200 && status < 300) return checked(origin, asked.path, answer, body);
        const refusal = { status, location: first(response.headers['location']), body };
        if (isLast || !isPassing(refusal)) throw failureOf(origin, refusal);
      } catch (error) {
        if (error instanceof SendoffError) throw error;
        if (isLast || !worthAnotherTry.test(codeOf(error))) throw unreachable(origin, error);
      }
      await sleep(pauseMs * attempt);
    }
  }

  return {
    get: (path, answer, query = {}, withinMs = usualMs) => ask({ method: 'GET', path, query, withinMs }, answer),
    post: (path, answer, body, withinMs = usualMs) => ask({ method: 'POST', path, body, withinMs }, answer),
    put: (path, answer, body) => ask({ method: 'PUT', path, body }, answer),
    delete: (path, answer) => ask({ method: 'DELETE', path }, answer),
    async *stream(path, query) {
      try {
        const response = await send(
          { method: 'GET', path, query },
          { dispatcher: streaming, headersTimeout: slowMs },
          '',
        );
        const { statusCode: status, headers } = response;
        if (status !== 200) {
          throw failureOf(origin, {
            status,
            location: first(headers['location']),
            body: parse(await response.body.text()),
          });
        }
        response.body.setEncoding('utf8');
        for await (const piece of response.body) yield String(piece);
      } catch (error) {
        if (error instanceof SendoffError) throw error;
        throw unreachable(origin, error);
      }
    },
    async close() {
      await Promise.all([agent.destroy(), streaming.destroy()]);
    },
  };
}

/** Busy, restarting, or still at the first of the same requests: asked again, it may answer. What failed was not done. */
function isPassing({ status, body }: { status: number; body: unknown }): boolean {
  if (status === 429 || status >= 500) return true;
  return typeof body === 'object' && body !== null && 'code' in body && body.code === 'IDEMPOTENCY_UNDER_WAY';
}

/** As it came, once what commands read of it is there: whatever else it holds is shown with `--json`. */
function checked<S extends z.ZodType>(origin: string, path: string, answer: S, body: unknown): z.infer<S> {
  if (!answer.safeParse(body).success) throw notUnderstood(origin, path);
  return body as z.infer<S>;
}

function textOf(query: Query = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]): [string, string][] => {
    if (value === undefined || value === null) return [];
    return [[name, value instanceof Date ? value.toISOString() : String(value)]];
  });
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`;
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
