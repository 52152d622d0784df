import type { Http } from '@okta/okta-sdk-nodejs/src/http.js';
import type { OktaSource } from '#shared/config/sources/okta.js';
import { messageOf } from '#shared/errors.js';
import { DirectoryUnavailable } from '../directory.js';

const defaultTimeoutMs = 10_000;
/** A thousand LogEvents are some 5 MB. */
const maxBytes = 32 * 1024 * 1024;
const pageLimit = 200;
/** A million people: lists are read page by page and never held whole, so only one that does not end is stopped here. */
const maxPages = 5_000;
const retryMs = 5_000;

/** Reads the Okta API. A 404 is an answer; everything else that is no 200 is `DirectoryUnavailable`. */
export interface OktaClient {
  /** @returns null for Okta's own "not found" */
  get(path: string): Promise<unknown | null>;
  /** Every item of a paged list, by its `next` links. */
  list(path: string): Promise<unknown[]>;
  /** The same page by page, for lists that are long. */
  pages(path: string): AsyncGenerator<unknown[]>;
  /** One page of a list that never ends, and the address of the one after it. */
  page(url: string): Promise<{ items: unknown[]; next: string }>;
  /** Changes something. @returns null for Okta's own "not found", undefined when there is nothing to say */
  send(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
}

export interface OktaClientOptions {
  /**
   * Asked for by a service app: what this client is used for and no more. One that was not granted refuses the token
   * whole, so what is needed for one thing must not be asked for with another.
   */
  scopes?: string[];
  timeoutMs?: number;
}

/**
 * Okta's SDK for what it is good at: authentication (API token, private_key_jwt, DPoP). Its cache would answer with the
 * same person for ever, so it is off; its retries would sleep for a minute, so they are too (idp-events.md §1.7).
 */
export function createOktaClient(
  name: string,
  config: OktaSource,
  { scopes = directoryScopes(config), timeoutMs = defaultTimeoutMs }: OktaClientOptions = {},
): OktaClient {
  let connected: Promise<Http> | undefined;
  const sdk = () => {
    connected ??= connect(config, scopes, timeoutMs);
    return connected;
  };

  const json = { Accept: 'application/json' };
  const request = async (url: string, options: Partial<Parameters<Http['http']>[1]> = {}) => {
    try {
      const http = await sdk();
      // A redirect would take the token along.
      const response = await http.http(url, { headers: json, redirect: 'error', size: maxBytes, ...options });
      return { text: await response.text(), link: response.headers.get('link') };
    } catch (error) {
      if (isNotFound(error)) return null;
      throw unavailable(name, error, scopes);
    }
  };

  const fetchPage = async (url: string): Promise<{ body: unknown; next: string | null } | null> => {
    const got = await request(url);
    if (got === null) return null;
    const next = nextOf(got.link);
    // Followed, it would take the token along; left out, half a list would pass for the whole.
    if (next !== null && !(URL.canParse(next) && new URL(next).origin === config.orgUrl)) {
      const why = `its list goes on elsewhere than at ${config.orgUrl}; is that the org’s own address?`;
      throw unavailable(name, new Error(why), scopes);
    }
    return { body: parsed(got.text), next };
  };

  const parsed = (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw unavailable(name, error, scopes);
    }
  };

  async function* pages(path: string): AsyncGenerator<unknown[]> {
    let url: string | null = `${config.orgUrl}${path}${path.includes('?') ? '&' : '?'}limit=${pageLimit}`;
    for (let page = 0; url !== null; page += 1) {
      const got: Awaited<ReturnType<typeof fetchPage>> = await fetchPage(url);
      if (got === null || !Array.isArray(got.body) || page >= maxPages) {
        throw unavailable(name, new Error(`${path.split('?')[0]} gave no whole list`), scopes);
      }
      yield got.body;
      url = got.next;
    }
  }

  return {
    get: async (path) => (await fetchPage(`${config.orgUrl}${path}`))?.body ?? null,
    pages,
    async list(path) {
      const items: unknown[] = [];
      for await (const page of pages(path)) items.push(...page);
      return items;
    },
    async page(url) {
      const got = await fetchPage(url);
      if (got === null || !Array.isArray(got.body)) throw unavailable(name, new Error('its list is no list'), scopes);
      if (got.next === null) {
        throw unavailable(name, new Error('its list does not say how it goes on'), scopes);
      }
      return { items: got.body, next: got.next };
    },
    async send(method, path, body) {
      const got = await request(`${config.orgUrl}${path}`, {
        method,
        headers: { ...json, 'Content-Type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (got === null) return null;
      return got.text.trim() === '' ? undefined : parsed(got.text);
    },
  };
}

/** The SDK in parts: all of it takes a second of a processor and 57 MB (decision 0028). */
async function connect(config: OktaSource, scopes: string[], timeoutMs: number): Promise<Http> {
  const [{ Http }, { DefaultRequestExecutor }] = await Promise.all([
    import('@okta/okta-sdk-nodejs/src/http.js'),
    import('@okta/okta-sdk-nodejs/src/default-request-executor.js'),
  ]);
  const requestExecutor = new DefaultRequestExecutor({ requestTimeout: timeoutMs, maxRetries: 0 });
  const http = new Http({
    requestExecutor,
    oauth: await serviceApp(config, scopes, requestExecutor),
    cacheMiddleware: null,
  });
  if (config.token !== undefined) http.defaultHeaders['Authorization'] = `SSWS ${config.token}`;
  http.defaultHeaders['User-Agent'] = 'sendoff';
  return http;
}

/** undefined: an API token is used. */
async function serviceApp(config: OktaSource, scopes: string[], requestExecutor: unknown): Promise<unknown> {
  const { orgUrl: baseUrl, token, clientId, privateKey, keyId } = config;
  if (token !== undefined || clientId === undefined || privateKey === undefined) return undefined;
  const { OAuth } = await import('@okta/okta-sdk-nodejs/src/oauth.js');
  return new OAuth({
    baseUrl,
    clientId,
    privateKey,
    ...(keyId === undefined ? {} : { keyId }),
    scopes,
    requestExecutor,
  });
}

function directoryScopes({ app }: OktaSource): string[] {
  return ['okta.users.read', 'okta.groups.read', ...(app === undefined ? [] : ['okta.apps.read'])];
}

function nextOf(link: string | null): string | null {
  return /<([^>]+)>\s*;\s*rel="next"/.exec(link ?? '')?.[1] ?? null;
}

/** Okta's own 404 carries an error code; one without comes from something between us and Okta. */
function isNotFound(error: unknown): boolean {
  const { status, errorCode } = (error ?? {}) as { status?: unknown; errorCode?: unknown };
  return status === 404 && typeof errorCode === 'string';
}

function unavailable(name: string, error: unknown, scopes: string[]): DirectoryUnavailable {
  const { status, errorCode, errorSummary, headers, url } = (error ?? {}) as {
    status?: number;
    errorCode?: string;
    errorSummary?: string;
    headers?: { get(name: string): string | null };
    url?: string;
  };
  const reset = Number(headers?.get('x-rate-limit-reset'));
  const waitMs = status === 429 && reset > 0 ? Math.min(Math.max(reset * 1_000 - Date.now(), 1_000), 120_000) : retryMs;
  const forToken = status !== undefined && url?.endsWith('/oauth2/v1/token');
  const what = [
    status === undefined ? messageOf(error) : `HTTP ${status}${errorCode === undefined ? '' : ` ${errorCode}`}`,
    ...(forToken ? ['to the request for a token'] : []),
    ...(forToken || status === 401 || status === 403 ? [`(needed: ${scopes.join(', ')})`] : []),
  ].join(' ');
  return new DirectoryUnavailable(`the directory ${name} gave no clear answer: ${what}`, waitMs, {
    code: 'DIRECTORY_UNAVAILABLE',
    blame: 'remote',
    facts: { status: status ?? null, errorCode: errorCode ?? null, summary: errorSummary ?? null },
  });
}
