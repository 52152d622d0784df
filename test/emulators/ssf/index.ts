import { randomUUID } from 'node:crypto';
import { type Answer, listen, type Request, send } from '../http.js';
import { createSigningKey, type SigningKey, signSet } from './signer.js';
import { createStreams, type EmulatedStream, type Streams } from './streams.js';

export { createSigningKey, type SigningKey, signSet } from './signer.js';

const base = 'https://schemas.openid.net/secevent/';
export const eventTypes = [
  'account-disabled',
  'account-enabled',
  'account-purged',
  'identifier-changed',
  'identifier-recycled',
]
  .map((type) => `${base}risc/event-type/${type}`)
  .concat(['session-revoked', 'token-claims-change'].map((type) => `${base}caep/event-type/${type}`));

export interface SetSeed {
  /** After `…/secevent/`, such as `risc/event-type/account-disabled`; or a whole URI. */
  type: string;
  subject: unknown;
  event?: Record<string, unknown>;
  jti?: string;
  claims?: Record<string, unknown>;
}

export interface SsfEmulator {
  url: string;
  audience: string;
  /** The keys that it shows; the first signs. */
  keys: SigningKey[];
  streams: Map<string, EmulatedStream>;
  requests: { method: string; path: string; status: number; body: unknown }[];
  /** While set, requests to such paths end like this. */
  fault: { path: string; answer: Answer } | null;
  /** Members of what it says of itself that differ. */
  metadata: Record<string, unknown>;
  /** Seconds of its own. */
  now(): number;
  limits: Streams['limits'];
  /** A new key is shown before the old ones and signs from now on. */
  rotate(alg?: string): Promise<SigningKey>;
  claims(seed: SetSeed): Record<string, unknown>;
  sign(seed: SetSeed): Promise<string>;
  /** Signs an event and puts it before every stream that polls. */
  emit(seed: SetSeed): Promise<string>;
  /** Pushes what was emitted since the last time as RFC 8935 says: again after anything but 202 and 400. @returns statuses */
  deliver(hookUrl: string, times?: (index: number) => number): Promise<number[]>;
  /** One push, and the answer. */
  push(hookUrl: string, set: string, headers?: Record<string, string>): Promise<{ status: number; body: unknown }>;
  close(): Promise<void>;
}

let first: Promise<SigningKey> | null = null;

/** RSA keys take long to make: every transmitter of a process begins with the same. */
function firstKey(): Promise<SigningKey> {
  first ??= createSigningKey('key-1');
  return first;
}

/** A transmitter of Shared Signals with real keys (idp-events.md §6). */
export async function startSsfEmulator({
  port = 0,
  token = 'ssf-emulator-token',
  client = { id: 'sendoff', secret: 'ssf-client-secret' },
  audience = 'https://sendoff.acme.com',
} = {}): Promise<SsfEmulator> {
  const issued = new Set([token]);
  let queued: string[] = [];

  const server = await listen(async (request, response) => {
    const answer = await respond(request);
    const { method, path, body } = request;
    emulator.requests.push({ method, path, status: answer.status, body });
    send(response, answer);
  }, port);

  const respond = async (request: Request): Promise<Answer> => {
    const { fault } = emulator;
    if (fault !== null && request.path.startsWith(fault.path)) return fault.answer;
    if (request.path === '/.well-known/ssf-configuration') return { status: 200, body: metadataOf(emulator) };
    if (request.path === '/jwks.json') {
      return { status: 200, body: { keys: emulator.keys.map(({ publicJwk }) => publicJwk) } };
    }
    if (request.path === '/oauth/token') return tokenRoute(request, client, issued);
    if (!request.path.startsWith('/ssf/')) return { status: 404 };
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (bearer === undefined || !issued.has(bearer)) return { status: 401 };
    return streams.route(request);
  };

  const streams = createStreams({
    url: server.url,
    audience,
    supported: eventTypes,
    now: () => emulator.now(),
    // A verification goes the way of every other event of the stream.
    async verify(stream, state) {
      const set = await emulator.sign({
        type: 'ssf/event-type/verification',
        subject: { format: 'opaque', id: stream.stream_id },
        event: state === undefined ? {} : { state },
      });
      const { endpoint_url, authorization_header } = stream.delivery;
      if (stream.isPoll) return stream.put(set);
      const headers = authorization_header === undefined ? {} : { authorization: authorization_header };
      stream.lastPush = await emulator.push(endpoint_url, set, headers).catch(() => null);
    },
  });

  const emulator: SsfEmulator = {
    url: server.url,
    audience,
    keys: [await firstKey()],
    streams: streams.all,
    requests: [],
    fault: null,
    metadata: {},
    now: () => Date.now() / 1_000,
    limits: streams.limits,
    async rotate(alg = 'RS256') {
      const key = await createSigningKey(`key-${randomUUID().slice(0, 8)}`, alg);
      emulator.keys.unshift(key);
      return key;
    },
    claims: ({ type, subject, event = {}, jti = randomUUID(), claims = {} }) => ({
      iss: server.url,
      jti,
      iat: Math.floor(emulator.now()),
      aud: audience,
      sub_id: subject,
      events: { [type.includes('://') ? type : base + type]: event },
      ...claims,
    }),
    sign: (seed) => signSet(emulator.claims(seed), signingKey(emulator)),
    async emit(seed) {
      const set = await emulator.sign(seed);
      queued.push(set);
      for (const stream of streams.all.values()) if (stream.isPoll) stream.put(set);
      return set;
    },
    async deliver(hookUrl, times = () => 1) {
      const sets = queued;
      queued = [];
      const statuses: number[] = [];
      for (const [index, set] of sets.entries()) {
        for (let time = 0; time < times(index); time += 1) statuses.push(await pushUntilTaken(hookUrl, set));
      }
      return statuses;
    },
    push,
    close: server.close,
  };
  return emulator;
}

function signingKey({ keys: [key] }: SsfEmulator): SigningKey {
  if (key === undefined) throw new Error('the emulator has no key');
  return key;
}

function metadataOf({ url, metadata }: SsfEmulator) {
  return {
    spec_version: '1_0',
    issuer: url,
    jwks_uri: `${url}/jwks.json`,
    delivery_methods_supported: ['urn:ietf:rfc:8935', 'urn:ietf:rfc:8936'],
    configuration_endpoint: `${url}/ssf/stream`,
    status_endpoint: `${url}/ssf/status`,
    verification_endpoint: `${url}/ssf/verify`,
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
    default_subjects: 'ALL',
    ...metadata,
  };
}

function tokenRoute(
  { headers, rawBody }: Request,
  client: { id: string; secret: string },
  issued: Set<string>,
): Answer {
  const basic = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`;
  if (headers.authorization !== basic) return { status: 401, body: { error: 'invalid_client' } };
  const asked = new URLSearchParams(rawBody);
  if (asked.get('grant_type') !== 'client_credentials')
    return { status: 400, body: { error: 'unsupported_grant_type' } };
  const token = randomUUID();
  issued.add(token);
  return {
    status: 200,
    body: { access_token: token, token_type: 'Bearer', expires_in: 3_600, scope: asked.get('scope') },
  };
}

async function push(hookUrl: string, set: string, headers: Record<string, string> = {}) {
  const response = await fetch(hookUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json', ...headers },
    body: set,
    signal: AbortSignal.timeout(5_000),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
}

/** A refused SET is not sent again; everything else is, a few times. */
async function pushUntilTaken(hookUrl: string, set: string): Promise<number> {
  let status = 0;
  for (let attempt = 0; attempt < 5 && status !== 202 && status !== 400; attempt += 1) {
    status = await push(hookUrl, set).then(
      (answer) => answer.status,
      () => 0,
    );
  }
  return status;
}
