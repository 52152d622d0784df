import type { OneLoginSource } from '#shared/config/sources/onelogin.js';
import { Enveloped, NotFound, TokenAnswer } from './schema.js';
import { type Answer, createTransport, type Transport, unavailable } from './transport.js';

const timeoutMs = 10_000;
/** A walk that does not end is no answer. */
const maxPages = 4_000;
/** A token is renewed so long before it ends. */
const marginMs = 60_000;
/** One that does not say how long it is valid. */
const unsaidMs = 600_000;
/** Asked for shortly before its end, OneLogin gives the same token once more: it is used at least so long. */
const leastMs = 15_000;

/** Reads the OneLogin API. A 404 is an answer; everything else that is no 200 is `DirectoryUnavailable`. */
export interface OneLoginClient {
  /** Proves that the credentials are accepted. */
  token(): Promise<string>;
  /** @returns null for OneLogin's own "not found" */
  get(path: string): Promise<unknown | null>;
  /** A list page by page, by the cursors of either version of the API. */
  pages(path: string): AsyncGenerator<unknown[]>;
  /** Every item of such a list. */
  list(path: string): Promise<unknown[]>;
}

type Account = Pick<OneLoginSource, 'baseUrl' | 'clientId' | 'clientSecret'>;

export function createOneLoginClient(name: string, account: Account, timeout = timeoutMs): OneLoginClient {
  const transport = createTransport(name, account.baseUrl, timeout);
  const tokens = createTokens(name, account, transport);

  /** @returns null for "not found" */
  const fetch = async (path: string): Promise<Answer | null> => {
    const ask = (token: string) =>
      transport.exchange({ method: 'GET', path, headers: { authorization: `bearer ${token}` } });
    const token = await tokens.get();
    let answer = await ask(token);
    // It may have been revoked before its end: once with another.
    if (answer.status === 401) answer = await ask(await tokens.renew(token));
    if (answer.status === 404 && NotFound.safeParse(answer.body).success) return null;
    if (answer.status !== 200) throw unavailable(name, `HTTP ${answer.status}`);
    if (answer.body == null) throw unavailable(name, 'it is no JSON');
    return answer;
  };

  async function* pages(path: string): AsyncGenerator<unknown[]> {
    const seen = new Set<string>();
    for (let next: string | null = path; next !== null; ) {
      const answer: Answer | null = await fetch(next);
      const page: Page | null = answer === null ? null : pageOf(answer);
      if (page === null || seen.size >= maxPages || seen.has(page.after ?? '')) throw noList(name, path);
      yield page.items;
      if (page.after !== null) seen.add(page.after);
      next = page.after === null ? null : withCursor(path, page);
    }
  }

  return {
    token: tokens.get,
    get: async (path) => (await fetch(path))?.body ?? null,
    pages,
    async list(path) {
      const items: unknown[] = [];
      for await (const page of pages(path)) items.push(...page);
      return items;
    },
  };
}

interface Page {
  items: unknown[];
  /** The query parameter that asks for the page after this one. */
  parameter: 'cursor' | 'after_cursor';
  /** null: this is the last page. */
  after: string | null;
}

/** Version 2 lists are plain arrays with their cursor in a header; version 1 wraps both. @returns null for no list */
function pageOf({ headers, body }: Answer): Page | null {
  if (Array.isArray(body)) {
    const cursor = headers['after-cursor'];
    const after = typeof cursor === 'string' && cursor !== '' && body.length > 0 ? cursor : null;
    const [page, pages] = [Number(headers['current-page']), Number(headers['total-pages'])];
    // More was promised and nothing leads there: half a list is none.
    if (after === null && page < pages) return null;
    return { items: body, parameter: 'cursor', after: page >= pages ? null : after };
  }
  const wrapped = Enveloped.safeParse(body);
  if (!wrapped.success) return null;
  const { data, pagination } = wrapped.data;
  return { items: data, parameter: 'after_cursor', after: (data.length > 0 && pagination?.after_cursor) || null };
}

function withCursor(path: string, { parameter, after }: Page): string {
  return `${path}${path.includes('?') ? '&' : '?'}${parameter}=${encodeURIComponent(after ?? '')}`;
}

function noList(name: string, path: string) {
  return unavailable(name, `${path.split('?')[0]} gave no whole list`);
}

interface Tokens {
  get(): Promise<string>;
  /** Another one than `refused`, if OneLogin gives one: it hands out the same until it ends. */
  renew(refused: string): Promise<string>;
}

/** Version 2 of the token endpoint: the older one would end the tokens that others hold (idp-events.md §4.3). */
function createTokens(name: string, { clientId, clientSecret }: Account, transport: Transport): Tokens {
  let current: { token: string; until: number } | null = null;
  let underWay: Promise<string> | null = null;

  const ask = async (): Promise<string> => {
    const askedAt = Date.now();
    const { status, body } = await transport.exchange({
      method: 'POST',
      path: '/auth/oauth2/v2/token',
      headers: {
        authorization: `client_id:${clientId}, client_secret:${clientSecret}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ grant_type: 'client_credentials' }),
    });
    const answer = TokenAnswer.safeParse(body);
    if (status !== 200 || !answer.success) throw unavailable(name, `HTTP ${status} to the API credentials`);
    const { access_token: token, created_at, expires_in } = answer.data;
    const lifeMs = typeof expires_in === 'number' ? expires_in * 1_000 : unsaidMs;
    // One that was handed out before ends earlier.
    const madeAt = Math.min(askedAt, Date.parse(created_at ?? '') || askedAt);
    current = { token, until: Math.max(madeAt + lifeMs - marginMs, askedAt + leastMs) };
    return token;
  };
  const get = (): Promise<string> => {
    if (current !== null && Date.now() < current.until) return Promise.resolve(current.token);
    underWay ??= ask().finally(() => {
      underWay = null;
    });
    return underWay;
  };
  return {
    get,
    renew(refused) {
      if (current?.token === refused) current = null;
      return get();
    },
  };
}
