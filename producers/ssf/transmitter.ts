import type { JSONWebKeySet } from 'jose';
import type { SsfSource } from '#shared/config/sources/ssf.js';
import { SendoffError } from '#shared/errors.js';
import { type Asked, ask, type Reply, unavailable } from './http.js';
import { Metadata, TokenAnswer } from './schema.js';

/** What a transmitter says of itself is read again after so long. */
const metadataMs = 60 * 60_000;
/** An access token is taken for dead so long before its end. */
const earlyMs = 60_000;
const scopes = 'ssf.manage ssf.read';

/** The other side: what it says of itself, its keys, and its management API. */
export interface Transmitter {
  metadata(): Promise<Metadata>;
  keySet(): Promise<JSONWebKeySet>;
  /**
   * Asks an endpoint of the management API.
   * @param expected statuses that the caller makes something of
   * @throws WaitError for every other
   */
  call(asked: Omit<Asked, 'headers'>, expected: readonly number[]): Promise<Reply>;
}

type Place = Pick<SsfSource, 'issuer' | 'jwksUri' | 'apiUrl' | 'token' | 'clientId' | 'clientSecret' | 'tokenUrl'>;

export function createTransmitter(place: Place, now: () => number = () => performance.now()): Transmitter {
  const { issuer, jwksUri, apiUrl = new URL(issuer).origin } = place;
  let known: { metadata: Promise<Metadata>; at: number } | null = null;
  let access: { header: string; until: number } | null = null;

  const metadata = (): Promise<Metadata> => {
    if (known !== null && now() - known.at < metadataMs) return known.metadata;
    const asked = discover(issuer);
    const entry = { metadata: asked, at: now() };
    known = entry;
    asked.catch(() => {
      if (known === entry) known = null;
    });
    return asked;
  };

  const authorization = async (): Promise<string> => {
    if (place.token !== undefined) return `Bearer ${place.token}`;
    if (access === null || now() >= access.until) access = await fetchToken(place, now);
    return access.header;
  };

  return {
    metadata,
    async keySet() {
      const url = jwksUri ?? pinned((await metadata()).jwks_uri, issuer);
      const reply = await ask({ method: 'GET', url });
      const { keys } = (reply.body ?? {}) as { keys?: unknown };
      if (reply.status !== 200 || !Array.isArray(keys)) {
        throw unavailable(`the keys of ${issuer} could not be read: HTTP ${reply.status}`, reply);
      }
      return reply.body as JSONWebKeySet;
    },
    async call(asked, expected) {
      if (new URL(asked.url).origin !== apiUrl) {
        throw misconfigured(
          `${issuer} names ${asked.url}, which is not at ${apiUrl}`,
          `if that is right, write apiUrl: ${new URL(asked.url).origin}`,
        );
      }
      const reply = await ask({ ...asked, headers: { authorization: await authorization() } });
      if (expected.includes(reply.status)) return reply;
      if (reply.status === 401) access = null;
      throw unavailable(`${asked.method} ${new URL(asked.url).pathname} of ${issuer}: ${meaningOf(reply)}`, reply);
    },
  };
}

/** RFC 8414's way: the well-known part stands between host and path. Older transmitters have `risc-configuration`. */
async function discover(issuer: string): Promise<Metadata> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  let last: Reply | null = null;
  for (const name of ['ssf-configuration', 'risc-configuration']) {
    last = await ask({ method: 'GET', url: `${origin}/.well-known/${name}${path}` });
    if (last.status !== 404) break;
  }
  const read = Metadata.safeParse(last?.body);
  if (last?.status !== 200 || !read.success) {
    throw unavailable(`${issuer} does not say what it is: HTTP ${last?.status}`, last ?? undefined);
  }
  if (read.data.issuer !== issuer) {
    throw misconfigured(
      `the transmitter calls itself ${read.data.issuer}, not ${issuer}`,
      'write issuer exactly as the transmitter does',
    );
  }
  return read.data;
}

/** Keys from another host are trusted only when the configuration names them. */
function pinned(jwksUri: string | undefined, issuer: string): string {
  if (jwksUri !== undefined && URL.canParse(jwksUri) && new URL(jwksUri).origin === new URL(issuer).origin) {
    return jwksUri;
  }
  throw misconfigured(
    `${issuer} ${jwksUri === undefined ? 'names no keys' : `has its keys elsewhere: ${jwksUri}`}`,
    `if they are its keys, write jwksUri: ${jwksUri ?? 'https://…'}`,
  );
}

async function fetchToken(
  { clientId = '', clientSecret = '', tokenUrl }: Place,
  now: () => number,
): Promise<{ header: string; until: number }> {
  if (tokenUrl === undefined) {
    throw misconfigured(
      'there are no credentials for the transmitter',
      'add token, or clientId, clientSecret and tokenUrl',
    );
  }
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64');
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: scopes }).toString();
  const reply = await ask({ method: 'POST', url: tokenUrl, headers: { authorization: `Basic ${basic}` }, body });
  const read = TokenAnswer.safeParse(reply.body);
  if (reply.status !== 200 || !read.success) {
    throw unavailable(`no access token from ${new URL(tokenUrl).host}: ${meaningOf(reply)}`, reply);
  }
  const { access_token, expires_in = 300 } = read.data;
  return { header: `Bearer ${access_token}`, until: now() + Math.max(expires_in * 1_000 - earlyMs, 1_000) };
}

function meaningOf({ status }: Reply): string {
  if (status === 401) return 'HTTP 401: our credentials are not known there';
  if (status === 403) return `HTTP 403: our credentials lack a scope (they need ${scopes})`;
  return `HTTP ${status}`;
}

function misconfigured(message: string, remedy: string): SendoffError {
  return new SendoffError(`${message} (${remedy})`, { code: 'SSF_MISCONFIGURED', blame: 'input', remedy });
}
