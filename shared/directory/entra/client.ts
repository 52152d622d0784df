import {
  AuthenticationHandler,
  Client,
  type Context,
  type Middleware,
  ResponseType,
} from '@microsoft/microsoft-graph-client';
import { authorityHostOf, type EntraSource, isHttpsLoopback } from '#shared/config/sources/entra.js';
import { messageOf } from '#shared/errors.js';
import { DirectoryUnavailable } from '../directory.js';
import { EntraPage } from './schema.js';

const timeoutMs = 10_000;
/** A walk that does not end is no answer. */
const maxPages = 1_000;
const maxBody = 32 << 20;
const retryMs = 5_000;
/** Graph never asks for longer in its documents; whoever does is asked again then. */
const longestWaitMs = 15 * 60_000;

export interface GraphPage {
  items: unknown[];
  next: string | null;
  delta: string | null;
}

export interface Ask {
  /** Advanced queries are answered from an index that lags behind; plain ones are not. */
  eventual?: boolean;
}

/** Asks Microsoft Graph. A 404 is an answer; everything else that is no 2xx is `DirectoryUnavailable`. */
export interface GraphClient {
  /** The origin that tokens are sent to. */
  readonly origin: string;
  /** @returns null for Graph's own "not found" */
  get(path: string, ask?: Ask): Promise<unknown | null>;
  /** Every item of a paged list, by its next links. */
  list(path: string, ask?: Ask): Promise<unknown[]>;
  /** The same page by page, for lists that are long. */
  pages(path: string, ask?: Ask): AsyncGenerator<unknown[]>;
  /** One page and the links behind it. @param path or a link of Graph's own */
  page(path: string, ask?: Ask): Promise<GraphPage>;
  /** @returns null for Graph's own "not found" */
  send(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<unknown | null>;
}

interface Reply {
  status: number;
  headers: Headers;
  body: unknown;
}

/**
 * Microsoft's own client, without its retries, which would sleep inside a lease, and without its redirects, which would
 * take the token along. It sends a token to the configured host alone, and never over plain http (idp-events.md §2.6).
 */
export function createGraphClient(name: string, config: EntraSource, timeout = timeoutMs): GraphClient {
  const tokens = tokensOf(name, config, timeout);
  const authentication = new AuthenticationHandler({ getAccessToken: tokens.get });
  authentication.setNext(new Fetch());
  const client = Client.initWithMiddleware({
    middleware: authentication,
    baseUrl: `${config.graphUrl}/`,
    customHosts: new Set([new URL(config.graphUrl).hostname]),
  });

  const call = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, more: Ask & { body?: unknown }) => {
    // Asked for here first: what the client makes of a failure inside it cannot be told apart.
    await tokens.get();
    const signal = AbortSignal.timeout(timeout);
    const request = client
      .api(path)
      .responseType(ResponseType.RAW)
      .options({ signal, redirect: 'manual' })
      .headers({ Accept: 'application/json', ...(more.eventual === true ? { ConsistencyLevel: 'eventual' } : {}) });
    let reply: Reply;
    try {
      const raw: Response = await {
        GET: () => request.get(),
        POST: () => request.post(more.body),
        PATCH: () => request.patch(more.body),
        DELETE: () => request.delete(),
      }[method]();
      reply = { status: raw.status, headers: raw.headers, body: await readBody(raw) };
    } catch (error) {
      throw failure(name, { what: messageOf(error) });
    }
    if (reply.status >= 200 && reply.status < 300) return reply.body;
    // A permission granted meanwhile, or a token withdrawn: neither shows in the token at hand.
    if (reply.status === 401 || reply.status === 403) tokens.forget();
    if (isNotFound(reply)) return null;
    throw refused(name, reply);
  };

  const page = async (path: string, ask: Ask = {}): Promise<GraphPage> => {
    const body = await call('GET', path, ask);
    if (body === null) throw failure(name, { what: `${path.split('?')[0]} was not found`, status: 404 });
    const parsed = EntraPage.safeParse(body);
    if (!parsed.success) throw failure(name, { what: `${path.split('?')[0]} gave no list` });
    const { value, '@odata.nextLink': next, '@odata.deltaLink': delta } = parsed.data;
    return { items: value, next: ownLink(name, config, next), delta: ownLink(name, config, delta) };
  };

  async function* pages(path: string, ask: Ask = {}): AsyncGenerator<unknown[]> {
    let link: string | null = path;
    for (let count = 0; link !== null; count += 1) {
      if (count >= maxPages) throw failure(name, { what: `${path.split('?')[0]} does not end` });
      const got: GraphPage = await page(link, ask);
      yield got.items;
      link = got.next;
    }
  }

  return {
    origin: config.graphUrl,
    get: (path, ask = {}) => call('GET', path, ask),
    send: (method, path, body) => call(method, path, { body }),
    page,
    pages,
    async list(path, ask) {
      const items: unknown[] = [];
      for await (const got of pages(path, ask)) items.push(...got);
      return items;
    },
  };
}

/** What did Graph answer, if it was Graph? */
export function graphStatus(error: unknown): { status: number | null; errorCode: string | null } {
  const facts = error instanceof DirectoryUnavailable ? error.facts : {};
  return {
    status: typeof facts.status === 'number' ? facts.status : null,
    errorCode: typeof facts.errorCode === 'string' ? facts.errorCode : null,
  };
}

/** The last of the client's chain: one request, as it stands. */
class Fetch implements Middleware {
  async execute(context: Context): Promise<void> {
    context.response = await fetch(context.request, context.options);
  }
}

/** Microsoft's libraries are large: they are loaded once a token is needed, by whoever has an Entra tenant. */
function tokensOf(name: string, config: EntraSource, timeout: number) {
  const { tenantId, clientId, clientSecret, certificate, privateKey } = config;
  const authorityHost = authorityHostOf(config);
  const create = async () => {
    const identity = await import('@azure/identity');
    const options = {
      authorityHost,
      disableInstanceDiscovery: isHttpsLoopback(authorityHost),
      retryOptions: { maxRetries: 0 },
    };
    return clientSecret !== undefined
      ? new identity.ClientSecretCredential(tenantId, clientId, clientSecret, options)
      : new identity.ClientCertificateCredential(
          tenantId,
          clientId,
          { certificate: `${privateKey?.trimEnd()}\n${certificate}` },
          options,
        );
  };
  let credential: ReturnType<typeof create> | null = null;
  return {
    async get(): Promise<string> {
      credential ??= create();
      try {
        const abortSignal = AbortSignal.timeout(timeout);
        const asked = (await credential).getToken(`${config.graphUrl}/.default`, { abortSignal });
        return (await Promise.race([asked, rejectWhen(abortSignal)])).token;
      } catch (error) {
        credential = null;
        const code = /AADSTS\d+/.exec(messageOf(error))?.[0];
        const why = code ?? messageOf(error).split('\n')[0]?.slice(0, 200);
        throw failure(name, { what: `no token from ${authorityHost}: ${why}`, errorCode: code ?? 'token' });
      }
    },
    forget() {
      credential = null;
    },
  };
}

function rejectWhen(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('it did not answer in time')), { once: true });
  });
}

/** Follows only to Graph itself: a link elsewhere would take the token along, and a list without its end is none. */
function ownLink(name: string, { graphUrl }: EntraSource, link: string | undefined): string | null {
  if (link === undefined) return null;
  if (URL.canParse(link) && new URL(link).origin === graphUrl) return link;
  throw failure(name, { what: 'its list goes on at another host' });
}

async function readBody(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBody) throw new Error(`it answered with more than ${maxBody >> 20} MiB`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    if (response.ok) throw new Error('it answered with something that is no JSON');
    return {};
  }
}

/** Graph's own 404 carries its code; one without comes from something between us and Graph. */
function isNotFound(reply: Reply): boolean {
  return reply.status === 404 && /^(Request_)?ResourceNotFound$/i.test(errorOf(reply).code ?? '');
}

function errorOf({ body }: Reply): { code: string | null; message: string | null } {
  const { error } = (body ?? {}) as { error?: { code?: unknown; message?: unknown } | null };
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value.slice(0, 300) : null);
  return { code: text(error?.code), message: text(error?.message) };
}

function refused(name: string, reply: Reply): DirectoryUnavailable {
  const { code, message } = errorOf(reply);
  const what = [`HTTP ${reply.status}`, code, message].filter((part) => part !== null).join(' ');
  return failure(name, {
    what,
    status: reply.status,
    ...(code === null ? {} : { errorCode: code }),
    delayMs: delayOf(reply),
  });
}

/** Seconds, or a date (RFC 9110); nothing means soon. */
function delayOf({ headers }: Reply): number {
  const said = headers.get('retry-after');
  if (said === null) return retryMs;
  const seconds = /^\d+$/.test(said.trim()) ? Number(said) : (Date.parse(said) - Date.now()) / 1_000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds * 1_000, 1_000), longestWaitMs) : retryMs;
}

function failure(
  name: string,
  {
    what,
    status,
    errorCode,
    delayMs = retryMs,
  }: { what: string; status?: number; errorCode?: string; delayMs?: number },
): DirectoryUnavailable {
  return new DirectoryUnavailable(`the directory ${name} gave no clear answer: ${what}`, delayMs, {
    code: 'DIRECTORY_UNAVAILABLE',
    blame: 'remote',
    facts: { status: status ?? null, errorCode: errorCode ?? null },
  });
}
