import { Agent, request } from 'undici';
import { isLoopback, isOrigin, isSendGridUrl } from '#shared/config/url.js';
import { messageOf, SendoffError } from '#shared/errors.js';
import { scrubber } from '#shared/telemetry/redact.js';
import { inSpan } from '#shared/telemetry/trace.js';
import {
  SendGridLimited,
  SendGridNotFound,
  SendGridOutage,
  SendGridRefused,
  SendGridUnauthorized,
  wordsOf,
} from './errors.js';
import type { Pace } from './pace.js';
import { type Headers, jittered } from './rate-limit.js';
import { type Call, onBehalfOf, urlOf } from './request.js';
import { createSlots } from './slots.js';

const maxBytes = 5 * 1024 * 1024;
const unauthorizedWaitMs = 30_000;
/** Requests under way at once, per account and process; SendGrid takes writes best one by one (sendgrid.md §2). */
const slotsFor = { reads: 4, writes: 1 };
/** The request never left: no connection, or one that we would not open. */
const neverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_INVALID_ARG'];

export interface Timeouts {
  connectMs: number;
  /** The whole exchange; well under the lease of an action. */
  totalMs: number;
}

export interface ClientOptions {
  account: string;
  apiKey: string;
  baseUrl: string;
  pace: Pace;
  /** Told of a 401: see the account's breaker. */
  onUnauthorized(account: string, reason: string): Promise<void>;
  timeouts?: Timeouts;
}

/**
 * Speaks to one SendGrid account. Paces itself, follows no redirect, repeats nothing by itself, and turns every
 * outcome into a value or one of errors.ts.
 */
export interface SendGridClient {
  readonly account: string;
  /** Id of the configured key, which is part of it (`SG.<id>.<secret>`) and no secret; null for a key of another form. */
  readonly keyId: string | null;
  /**
   * @throws SendGridLimited, SendGridUnauthorized, SendGridRefused, SendGridNotFound, SendGridOutage
   */
  call<T>(call: Call<T>): Promise<T>;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** @throws SendoffError SENDGRID_URL for a base URL that is not SendGrid's; plain http only to this machine, for tests */
export function createSendGridClient({
  account,
  apiKey,
  baseUrl,
  pace,
  onUnauthorized,
  timeouts = { connectMs: 3_000, totalMs: 15_000 },
}: ClientOptions): SendGridClient {
  // The configuration was checked already; the key goes nowhere else even if that check is forgotten.
  if (!isSendGridUrl(baseUrl) && !(isLoopback(baseUrl) && isOrigin(baseUrl))) {
    throw new SendoffError(`the base URL of ${account} is no address of SendGrid`, {
      code: 'SENDGRID_URL',
      blame: 'input',
    });
  }
  const agent = new Agent({
    connect: { timeout: timeouts.connectMs },
    connections: slotsFor.reads + slotsFor.writes,
    pipelining: 1,
    maxResponseSize: maxBytes,
  });
  const inSlot = { reads: createSlots(slotsFor.reads), writes: createSlots(slotsFor.writes) };
  const scrub = scrubber([apiKey]);

  return {
    account,
    keyId: /^SG\.([\w-]+)/.exec(apiKey)?.[1] ?? null,
    async call(call) {
      const endpoint = `${call.method} ${call.path}`;
      const where = `SendGrid ${account}: ${endpoint}`;
      const target = targetOf(call);
      return inSlot[call.method === 'GET' ? 'reads' : 'writes'](where, async () => {
        await pace.acquire(account, endpoint);
        const answer = await exchange(where, call, target);
        // What could not be noted costs politeness, never the answer.
        const closedMs = await pace.observe(account, endpoint, answer.status, answer.headers).catch(() => 1_000);
        if (answer.status >= 200 && answer.status < 300) return parse(where, call, answer);
        throw await failure(where, call, answer, closedMs);
      });
    },
    close: () => agent.close(),
  };

  function targetOf(call: Call<unknown>): { url: string; headers: Record<string, string> } {
    return {
      url: urlOf(baseUrl, call),
      headers: {
        authorization: `Bearer ${apiKey}`,
        accept: 'application/json',
        // Nothing is unpacked, so nothing small can become something huge.
        'accept-encoding': 'identity',
        'user-agent': 'sendoff',
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(call.subuser === undefined ? {} : { 'on-behalf-of': onBehalfOf(call.path, call.subuser) }),
      },
    };
  }

  /** In a trace: the template of the path, never the path, which may be an address. */
  function exchange(where: string, call: Call<unknown>, target: ReturnType<typeof targetOf>): Promise<Answer> {
    const facts = {
      'http.request.method': call.method,
      'url.template': call.path,
      'server.address': new URL(baseUrl).hostname,
      'sendoff.account': account,
      'sendoff.in_subuser': call.subuser !== undefined,
    };
    return inSpan(
      `${call.method} ${call.path}`,
      facts,
      async (note) => {
        const answer = await send(where, call, target);
        note({ 'http.response.status_code': answer.status });
        return answer;
      },
      'CLIENT',
    );
  }

  async function send(
    where: string,
    call: Call<unknown>,
    { url, headers }: ReturnType<typeof targetOf>,
  ): Promise<Answer> {
    try {
      const answer = await request(url, {
        dispatcher: agent,
        method: call.method,
        headers,
        body: call.body === undefined ? null : JSON.stringify(call.body),
        signal: AbortSignal.timeout(timeouts.totalMs),
      });
      return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
    } catch (error) {
      const code = codeOf(error);
      const said = scrub(code || messageOf(error));
      throw new SendGridOutage(`${where} got no whole answer: ${said}`, isWrite(call) && !neverSent.includes(code), {
        code: 'SENDGRID_OUTAGE',
        blame: 'remote',
        facts: { code },
      });
    }
  }

  function parse<T>(where: string, call: Call<T>, { status, text }: Answer): T {
    if (call.answer === null) return undefined as T;
    const result = call.answer.safeParse(parseJson(text));
    if (result.success) return result.data;
    // A 2xx that is no answer is never an empty one.
    throw new SendGridOutage(
      `${where} answered ${status} with something that is not the documented answer`,
      isWrite(call),
      {
        code: 'SENDGRID_GARBAGE',
        blame: 'remote',
        facts: { issues: result.error.issues.slice(0, 3).map((issue) => `${issue.path.join('.')}: ${issue.code}`) },
      },
    );
  }

  async function failure(
    where: string,
    call: Call<unknown>,
    { status, text }: Answer,
    closedMs: number,
  ): Promise<Error> {
    // Cut last: half a key would not be recognised.
    const words = scrub(wordsOf(text)).slice(0, 300);
    const message = `${where} answered ${status}${words === '' ? '' : `: ${words}`}`;
    const facts = { status };
    if (status === 429) {
      return new SendGridLimited(message, jittered(closedMs), { code: 'SENDGRID_LIMITED', blame: 'remote', facts });
    }
    if (status === 401) {
      // If the breaker can't be noted now, the next 401 will.
      await onUnauthorized(account, message).catch(() => undefined);
      return new SendGridUnauthorized(message, unauthorizedWaitMs, {
        code: 'SENDGRID_UNAUTHORIZED',
        blame: 'remote',
        facts,
        remedy: `put a valid key into accounts.${account}.apiKey`,
      });
    }
    if (status === 404) return new SendGridNotFound(message, { code: 'SENDGRID_NOT_FOUND', blame: 'remote', facts });
    const invalidScopes = status === 500 && /invalid scopes/i.test(words);
    if ((status >= 400 && status < 500 && status !== 408) || invalidScopes) {
      return new SendGridRefused(message, {
        code: status === 403 ? 'SENDGRID_FORBIDDEN' : 'SENDGRID_REFUSED',
        blame: 'remote',
        facts,
        ...(status === 403
          ? { remedy: 'the key lacks the right, or the plan the feature: make a new Full Access key' }
          : {}),
      });
    }
    return new SendGridOutage(message, isWrite(call), { code: 'SENDGRID_OUTAGE', blame: 'remote', facts });
  }
}

function isWrite(call: Call<unknown>): boolean {
  return call.method !== 'GET';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'TIMEOUT';
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
