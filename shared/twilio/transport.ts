import { Agent, request } from 'undici';
import { messageOf } from '#shared/errors.js';
import type { Headers } from '#shared/sendgrid/rate-limit.js';
import { scrubber } from '#shared/telemetry/redact.js';
import { TwilioOutage } from './errors.js';

/** The largest answer is one user. */
const maxBytes = 1024 * 1024;
/** The request never left: no connection, or one that we would not open. */
const neverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_INVALID_ARG'];

export interface Timeouts {
  connectMs: number;
  /** One whole exchange. A call makes at most four (twice a token and a request), together under an action's lease. */
  totalMs: number;
}

export interface Outgoing {
  /** What the error calls it. */
  where: string;
  method: 'GET' | 'POST' | 'PATCH';
  url: string;
  headers: Record<string, string>;
  body: string | null;
  /** Would it change anything at Twilio? */
  isWrite: boolean;
  /** What the request carries and no error may show. */
  secrets: readonly string[];
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** One exchange over HTTP: no redirect is followed, nothing unpacked, nothing repeated. */
export interface Transport {
  /** @throws TwilioOutage if no whole answer comes */
  exchange(outgoing: Outgoing): Promise<Answer>;
  close(): Promise<void>;
}

export function createTransport({ connectMs, totalMs }: Timeouts): Transport {
  const agent = new Agent({
    connect: { timeout: connectMs },
    connections: 4,
    pipelining: 1,
    maxResponseSize: maxBytes,
  });

  return {
    async exchange({ where, method, url, headers, body, isWrite, secrets }) {
      try {
        const answer = await request(url, {
          dispatcher: agent,
          method,
          // Nothing is unpacked, so nothing small can become something huge.
          headers: { ...headers, 'accept-encoding': 'identity', 'user-agent': 'sendoff' },
          body,
          signal: AbortSignal.timeout(totalMs),
        });
        return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
      } catch (error) {
        const code = codeOf(error);
        const said = scrubber(secrets)(code || messageOf(error));
        throw new TwilioOutage(`${where} got no whole answer: ${said}`, isWrite && !neverSent.includes(code), {
          code: 'TWILIO_OUTAGE',
          blame: 'remote',
          facts: { code },
        });
      }
    },
    close: () => agent.close(),
  };
}

function codeOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'TIMEOUT';
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
