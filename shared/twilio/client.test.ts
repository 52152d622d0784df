import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PermanentError, WaitError } from '#shared/errors.js';
import { startTwilioEmulator, type TwilioEmulator } from '#test/emulators/twilio/index.js';
import { createTwilioClient, type TwilioClient, type TwilioClientOptions } from './client.js';
import { mayHaveBeenApplied } from './errors.js';

const jane = 'jane@acme.com';
const clientSecret = 'client-secret-0123456789abcdef';
const timeouts = { connectMs: 1_000, totalMs: 300 };

let twilio: TwilioEmulator;
let now: number;
const open: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  now = Date.parse('2026-11-25T12:00:00Z');
  twilio = await startTwilioEmulator({ clientSecret });
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  await twilio.close();
});

function connect(more: Partial<TwilioClientOptions> = {}): TwilioClient {
  const { baseUrl, tokenUrl, clientId } = twilio;
  const clock = { now: () => new Date(now) };
  const client = createTwilioClient({
    baseUrl,
    tokenUrl,
    clientId,
    clientSecret,
    refreshToken: null,
    timeouts,
    clock,
    ...more,
  });
  open.push(client);
  return client;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A client whose tokens come from the emulator, in front of a SCIM server that answers in any way. */
async function facing(handle: Handler, more: Partial<TwilioClientOptions> = {}): Promise<TwilioClient> {
  const { url } = await serve(handle);
  return connect({ baseUrl: `${url}/scim/v2`, ...more });
}

async function serve(handle: Handler): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => handle(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function answering(status: number, body = '', headers: Record<string, string> = {}): Promise<TwilioClient> {
  return facing((_, response) => response.writeHead(status, headers).end(body));
}

async function errorOf(run: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const error = await run.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  expectNoSecret(error);
  return error as Error & Record<string, unknown>;
}

/** Looks into everything that hangs on an error, whatever it is called. */
function expectNoSecret(value: unknown, seen = new Set<unknown>()): void {
  if (typeof value === 'string') expect(value).not.toMatch(/client-secret|access-[\w-]{8}|refresh-[\w-]{8}/);
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  for (const key of Reflect.ownKeys(value)) {
    expect(String(key).toLowerCase()).not.toBe('authorization');
    expectNoSecret(key, seen);
    expectNoSecret(Reflect.get(value, key), seen);
  }
}

describe('findUser', () => {
  it('finds who signs in with this address, in whatever case it was asked or stored', async () => {
    const user = twilio.addUser({ userName: 'Jane@Acme.com' });
    twilio.addUser({ userName: 'kim@acme.com' });
    const found = { id: user.id, userName: 'Jane@Acme.com', active: true, version: 'W/1' };
    expect(await connect().findUser('JANE@acme.com')).toEqual(found);
    expect(await connect().findUser(` ${jane} `)).toEqual(found);
  });

  it('asks by the one filter that Twilio has', async () => {
    await connect().findUser(jane);
    expect(twilio.journal.at(-1)).toMatchObject({ method: 'GET', path: '/scim/v2/Users', status: 200 });
    expect(new URLSearchParams(twilio.journal.at(-1)?.query).get('filter')).toBe(`userName eq "${jane}"`);
  });

  it('finds nobody if there is nobody', async () => {
    twilio.addUser({ userName: 'kim@acme.com' });
    expect(await connect().findUser(jane)).toBeNull();
  });

  it('finds nobody in a list that holds other people only, as when the filter was not understood', async () => {
    const client = await answering(
      200,
      JSON.stringify({ totalResults: 1, Resources: [{ id: 'US1', userName: 'kim@acme.com', active: true }] }),
    );
    expect(await client.findUser(jane)).toBeNull();
  });

  it('takes no pick among several', async () => {
    twilio.addUser({ userName: jane });
    twilio.addUser({ userName: 'JANE@acme.com' });
    expect(await errorOf(connect().findUser(jane))).toMatchObject({ code: 'TWILIO_AMBIGUOUS', blame: 'remote' });
  });

  it('any address at all is one text in the filter', async () => {
    const client = connect();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 20 }), async (email) => {
        const wanted = email.trim();
        fc.pre(wanted !== '');
        await client.findUser(email);
        const filter = new URLSearchParams(twilio.journal.at(-1)?.query).get('filter') ?? '';
        expect(filter.slice(0, 12)).toBe('userName eq ');
        expect(JSON.parse(filter.slice(12))).toBe(wanted);
        expect(twilio.journal.at(-1)).toMatchObject({ path: '/scim/v2/Users', status: 200 });
      }),
      { numRuns: 100 },
    );
  });

  it('a quote does not end the filter early', async () => {
    twilio.addUser({ userName: jane });
    expect(await connect().findUser(`x" or userName eq "${jane}`)).toBeNull();
  });

  it('does not ask for nobody', async () => {
    expect(await errorOf(connect().findUser(' '))).toMatchObject({ code: 'TWILIO_NAME_INVALID' });
    expect(twilio.journal).toEqual([]);
  });

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '<html>',
    '{"totalResults":1}',
    '{"totalResults":2,"Resources":[]}',
    '{"Resources":[{"id":"US1","userName":"jane@acme.com"}]}',
    '{"Resources":[{"id":"US1","userName":"jane@acme.com","active":"True"}]}',
    '{"Resources":[{"id":"","userName":"jane@acme.com","active":true}]}',
  ])('2xx with %j is garbage, never nobody', async (body) => {
    const client = await answering(200, body);
    expect(await errorOf(client.findUser(jane))).toMatchObject({ code: 'TWILIO_GARBAGE', sent: false });
  });

  it.each(['{"Resources":[]}', '{"totalResults":0}', '{"totalResults":0,"Resources":[]}'])(
    '2xx with %j is nobody',
    async (body) => {
      expect(await (await answering(200, body)).findUser(jane)).toBeNull();
    },
  );

  it('a 404 is never nobody', async () => {
    const client = await answering(404, scimError('404', 25008));
    expect(await errorOf(client.findUser(jane))).toMatchObject({ code: 'TWILIO_NOT_FOUND' });
  });
});

describe('readUser', () => {
  it('reads a user as they are now', async () => {
    const user = twilio.addUser({ userName: jane, active: false });
    expect(await connect().readUser(user.id)).toEqual({ id: user.id, userName: jane, active: false, version: 'W/1' });
  });

  it('knows that there is none when SCIM says so', async () => {
    expect(await connect().readUser('US404')).toBeNull();
  });

  it.each(['', '<html>not found', '{"code":20404,"message":"The requested resource was not found"}'])(
    'takes a 404 with %j for no word on the user',
    async (body) => {
      const client = await answering(404, body);
      expect(await errorOf(client.readUser('US1'))).toMatchObject({ code: 'TWILIO_GARBAGE', sent: false });
    },
  );

  it('takes nobody else for an answer', async () => {
    const client = await answering(200, JSON.stringify({ id: 'US2', userName: jane, active: false }));
    expect(await errorOf(client.readUser('US1'))).toMatchObject({ code: 'TWILIO_GARBAGE' });
  });

  it.each([undefined, null, ''])('a version of %j is none', async (version) => {
    const client = await answering(200, JSON.stringify({ id: 'US1', userName: jane, active: true, meta: { version } }));
    expect(await client.readUser('US1')).toMatchObject({ version: null });
  });

  it.each(['../Groups', 'US1/x', 'US1?a=b', 'US1#x', '%2e%2e', 'ü', '...'])('%j stays one segment', async (id) => {
    let url: string | undefined;
    const client = await facing((request, response) => {
      url = request.url;
      response.writeHead(404).end(scimError('404'));
    });
    expect(await client.readUser(id)).toBeNull();
    expect(url).toBe(`/scim/v2/Users/${encodeURIComponent(id)}`);
  });

  it.each(['', '.', '..', '\ud800'])('%j is refused, nothing is sent', async (id) => {
    const client = connect();
    for (const run of [client.readUser(id), client.deactivate({ id, version: null })]) {
      const error = await errorOf(run);
      expect(error.code).toBe('TWILIO_NAME_INVALID');
      expect(mayHaveBeenApplied(error)).toBe(false);
    }
    expect(twilio.journal).toEqual([]);
  });
});

describe('deactivate', () => {
  it('stops the sign-in of this user and of nobody else', async () => {
    const user = twilio.addUser({ userName: jane });
    const other = twilio.addUser({ userName: 'kim@acme.com' });
    const client = connect();
    await client.deactivate({ id: user.id, version: 'W/1' });
    expect(await client.readUser(user.id)).toMatchObject({ active: false, version: 'W/2' });
    expect(other).toMatchObject({ active: true, revision: 1 });
    expect(twilio.applied()).toMatchObject([
      {
        method: 'PATCH',
        path: `/scim/v2/Users/${user.id}`,
        ifMatch: 'W/1',
        body: {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op: 'replace', path: 'active', value: false }],
        },
      },
    ]);
  });

  it('names no version if it knows none', async () => {
    const user = twilio.addUser({ userName: jane });
    await connect().deactivate({ id: user.id, version: null });
    expect(user.active).toBe(false);
    expect(twilio.applied()).toMatchObject([{ ifMatch: null }]);
  });

  it('changes nobody who changed meanwhile: to be read again and tried again', async () => {
    const user = twilio.addUser({ userName: jane });
    user.revision = 2;
    const error = await errorOf(connect().deactivate({ id: user.id, version: 'W/1' }));
    expect(error).toMatchObject({ code: 'TWILIO_CHANGED', name: 'TwilioChanged' });
    // The queue tries such an error again.
    expect(error).not.toBeInstanceOf(PermanentError);
    expect(error).not.toBeInstanceOf(WaitError);
    expect(mayHaveBeenApplied(error)).toBe(false);
    expect(user.active).toBe(true);
  });

  it.each([{ isOwner: true }, { isSuspended: true }])('is refused for %j', async (seed) => {
    const user = twilio.addUser({ userName: jane, ...seed });
    const error = await errorOf(connect().deactivate({ id: user.id, version: null }));
    expect(error).toMatchObject({ name: 'TwilioRefused', code: 'TWILIO_FORBIDDEN' });
    expect(error).toBeInstanceOf(PermanentError);
    expect(mayHaveBeenApplied(error)).toBe(false);
    expect(user.active).toBe(true);
  });

  it('tells of a user who is gone', async () => {
    const error = await errorOf(connect().deactivate({ id: 'US404', version: null }));
    expect(error).toMatchObject({ code: 'TWILIO_NOT_FOUND', facts: { status: 404, twilioCode: 25008 } });
    expect(mayHaveBeenApplied(error)).toBe(false);
  });

  it('proves nothing by itself: Twilio may say yes and do nothing', async () => {
    const user = twilio.addUser({ userName: jane });
    twilio.faults.inject({ method: 'PATCH', fault: { kind: 'accept-and-ignore' } });
    const client = connect();
    await client.deactivate({ id: user.id, version: null });
    expect(await client.readUser(user.id)).toMatchObject({ active: true });
  });

  it('may have been carried out when the answer never comes, and is not repeated', async () => {
    const user = twilio.addUser({ userName: jane });
    twilio.faults.inject({ method: 'PATCH', fault: { kind: 'apply-then-hang' } });
    const error = await errorOf(connect().deactivate({ id: user.id, version: null }));
    expect(error).toMatchObject({ code: 'TWILIO_OUTAGE', sent: true, facts: { code: 'TIMEOUT' } });
    expect(mayHaveBeenApplied(error)).toBe(true);
    expect(user.active).toBe(false);
    expect(twilio.journal.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
  });
});

describe('what an answer becomes', () => {
  it.each([
    [400, 'TWILIO_REFUSED', 'TwilioRefused'],
    [403, 'TWILIO_FORBIDDEN', 'TwilioRefused'],
    [409, 'TWILIO_REFUSED', 'TwilioRefused'],
    [422, 'TWILIO_REFUSED', 'TwilioRefused'],
    [412, 'TWILIO_CHANGED', 'TwilioChanged'],
    [429, 'TWILIO_LIMITED', 'TwilioLimited'],
    [401, 'TWILIO_UNAUTHORIZED', 'TwilioUnauthorized'],
  ])('%i is %s, with Twilio’s words and number: definitive, nothing was applied', async (status, code, name) => {
    const client = await answering(status, scimError(String(status), 25014));
    const error = await errorOf(client.deactivate({ id: 'US1', version: null }));
    expect(error).toMatchObject({ code, name, blame: 'remote', facts: { status, twilioCode: 25014 } });
    expect(error.message).toBe(`Twilio: PATCH /Users/{id} answered ${status}: some words (Twilio 25014)`);
    expect(mayHaveBeenApplied(error)).toBe(false);
  });

  it.each([301, 302, 307, 308, 408, 500, 502, 503, 504])(
    '%i is an outage: a write may have been applied',
    async (status) => {
      const client = await answering(status, 'oops', { location: '/elsewhere' });
      const write = client.deactivate({ id: 'US1', version: null });
      expect(await errorOf(write)).toMatchObject({ code: 'TWILIO_OUTAGE', sent: true });
      expect(await errorOf(client.readUser('US1'))).toMatchObject({ code: 'TWILIO_OUTAGE', sent: false });
    },
  );

  it.each([
    [{ 'retry-after': '7' }, 7_000],
    [{}, 5_000],
  ])('429 with %j waits as long as it says', async (headers: Record<string, string>, delayMs) => {
    const client = await answering(429, '', headers);
    const error = await errorOf(client.readUser('US1'));
    expect(error).toBeInstanceOf(WaitError);
    expect(error.delayMs).toBeGreaterThanOrEqual(delayMs);
    expect(error.delayMs).toBeLessThan(delayMs + 1_500);
  });

  it('a redirect is not followed, neither for a user nor for a token', async () => {
    twilio.faults.inject({ path: /Users/, fault: { kind: 'redirect', location: '/scim/v2/Users/US2' } });
    await errorOf(connect().readUser('US1'));
    expect(twilio.journal.map(({ path }) => path)).toEqual(['/v2/token', '/scim/v2/Users/US1']);
    twilio.faults.inject({ path: /token/, fault: { kind: 'redirect', location: '/elsewhere' } });
    expect(await errorOf(connect().readUser('US1'))).toMatchObject({ code: 'TWILIO_OUTAGE', sent: false });
    expect(twilio.journal).toHaveLength(3);
  });

  it('packed answers are not asked for, and not unpacked', async () => {
    let asked: string | string[] | undefined;
    const client = await facing((request, response) => {
      asked = request.headers['accept-encoding'];
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"Resources":[]}'));
    });
    expect(await errorOf(client.findUser(jane))).toMatchObject({ code: 'TWILIO_GARBAGE' });
    expect(asked).toBe('identity');
  });

  it.each([200, 404, 500])('more than 1 MiB with status %i is an outage', async (status) => {
    const client = await answering(status, `{"totalResults":0,"pad":"${'x'.repeat(1024 * 1024)}"}`);
    expect(await errorOf(client.findUser(jane))).toMatchObject({ code: 'TWILIO_OUTAGE' });
  });
});

describe('no answer', () => {
  const cases: [string, Handler][] = [
    ['silence', () => undefined],
    ['a reset', (_, response) => response.destroy()],
    ['half a body, then silence', (_, response) => void response.writeHead(200).write('{"Resources":')],
    ['no HTTP', (_, response) => response.socket?.end('220 mail ESMTP\r\n')],
  ];
  it.each(cases)('%s: nobody knows whether a write was applied; nothing is repeated', async (_, handle) => {
    let requests = 0;
    const client = await facing((request, response) => {
      requests += 1;
      handle(request, response);
    });
    const write = client.deactivate({ id: 'US1', version: null });
    expect(await errorOf(write)).toMatchObject({ code: 'TWILIO_OUTAGE', sent: true });
    expect(await errorOf(client.readUser('US1'))).toMatchObject({ code: 'TWILIO_OUTAGE', sent: false });
    expect(requests).toBe(2);
  });

  it('nobody listens: surely not applied', async () => {
    const { server, url } = await serve(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    const error = await errorOf(connect({ baseUrl: url }).deactivate({ id: 'US1', version: null }));
    expect(error).toMatchObject({ code: 'TWILIO_OUTAGE', sent: false, facts: { code: 'ECONNREFUSED' } });
  });
});

describe('tokens', () => {
  const grants = () => twilio.tokenRequests().map(({ body }) => (body as { grant_type: string }).grant_type);

  it('come by the app’s own right, or by its refresh token if it has one', async () => {
    await connect().findUser(jane);
    await connect({ refreshToken: twilio.grantRefreshToken() }).findUser(jane);
    expect(grants()).toEqual(['client_credentials', 'refresh_token']);
  });

  it('are kept until a minute before they end', async () => {
    const client = connect();
    await client.findUser(jane);
    now += 3_539_000;
    await client.findUser(jane);
    expect(twilio.tokenRequests()).toHaveLength(1);
    now += 1_000;
    await client.findUser(jane);
    expect(twilio.tokenRequests()).toHaveLength(2);
  });

  it.each([
    ['a short life', 60, 45_000],
    ['a date instead of a duration', 1_438_315_200_000, 3_540_000],
    ['no word on it', undefined, 240_000],
    ['null', null, 240_000],
  ])('with %s are kept for a sensible time', async (_, expires_in, keptMs) => {
    const rule = twilio.faults.inject({
      path: /token/,
      fault: { kind: 'garbage', body: JSON.stringify({ access_token: 'access-token-0001', expires_in }) },
    });
    const client = await answering(200, '{"Resources":[]}');
    await client.findUser(jane);
    now += keptMs - 1;
    await client.findUser(jane);
    expect(rule.hits).toBe(1);
    now += 1;
    await client.findUser(jane);
    expect(rule.hits).toBe(2);
  });

  it('are asked for once, however many wait', async () => {
    const client = connect();
    await Promise.all(Array.from({ length: 12 }, () => client.findUser(jane)));
    expect(twilio.tokenRequests()).toHaveLength(1);
  });

  it('that ended early are replaced once, and the request is carried out once', async () => {
    const user = twilio.addUser({ userName: jane });
    const client = connect();
    await client.findUser(jane);
    twilio.revokeAccessTokens();
    await client.deactivate({ id: user.id, version: 'W/1' });
    expect(twilio.tokenRequests()).toHaveLength(2);
    expect(twilio.applied()).toHaveLength(1);
  });

  it('that ended early for many at once are replaced by one', async () => {
    const client = connect();
    await client.findUser(jane);
    twilio.revokeAccessTokens();
    await Promise.all(Array.from({ length: 6 }, () => client.findUser(jane)));
    expect(twilio.tokenRequests()).toHaveLength(2);
  });

  it('that were replaced already are not replaced again for one who learns of it late', async () => {
    let late: ServerResponse | undefined;
    const refuse = (response: ServerResponse | undefined) => response?.writeHead(401).end();
    const seen: (string | undefined)[] = [];
    const client = await facing((request, response) => {
      seen.push(request.headers.authorization);
      if (seen.length === 1) late = response;
      else if (request.headers.authorization === seen[0]) refuse(response);
      else {
        response.end('{"Resources":[]}');
        refuse(late);
        late = undefined;
      }
    });
    await Promise.all([client.findUser(jane), client.findUser(jane)]);
    expect(twilio.tokenRequests()).toHaveLength(2);
    expect(seen).toHaveLength(4);
  });

  it('refused when new mean that the app is refused: its work waits', async () => {
    twilio.faults.inject({ path: /Users/, fault: { kind: 'status', status: 401 } });
    const error = await errorOf(connect().deactivate({ id: 'US1', version: null }));
    expect(error).toMatchObject({ code: 'TWILIO_UNAUTHORIZED', name: 'TwilioUnauthorized', delayMs: 30_000 });
    expect(error).toBeInstanceOf(WaitError);
    expect(mayHaveBeenApplied(error)).toBe(false);
    expect(twilio.journal.map(({ path }) => path)).toEqual([
      '/v2/token',
      '/scim/v2/Users/US1',
      '/v2/token',
      '/scim/v2/Users/US1',
    ]);
  });

  it('renew their refresh token when Twilio replaces it', async () => {
    const client = connect({ refreshToken: twilio.grantRefreshToken({ rotate: true }) });
    for (let round = 0; round < 3; round += 1) {
      await client.findUser(jane);
      now += 3_600_000;
    }
    expect(grants()).toEqual(['refresh_token', 'refresh_token', 'refresh_token']);
    expect(twilio.tokenRequests().every(({ status }) => status === 200)).toBe(true);
  });

  it.each([
    ['a wrong secret', { clientSecret: 'another-client-secret' }],
    ['a withdrawn authorisation', { refreshToken: 'refresh-token-unknown' }],
  ])('are not given for %s: its work waits, and nothing else was asked', async (_, wrong) => {
    const error = await errorOf(connect(wrong).findUser(jane));
    expect(error).toMatchObject({ code: 'TWILIO_UNAUTHORIZED', delayMs: 30_000 });
    expect(error.remedy).toContain('targets.twilio');
    expect(twilio.journal).toHaveLength(1);
  });

  it.each([
    [429, 'TWILIO_LIMITED'],
    [408, 'TWILIO_OUTAGE'],
    [500, 'TWILIO_OUTAGE'],
    [503, 'TWILIO_OUTAGE'],
  ])('not given with %i: %s, surely nothing was applied, and the next one asks again', async (status, code) => {
    const user = twilio.addUser({ userName: jane });
    twilio.faults.inject({ path: /token/, times: 1, fault: { kind: 'status', status, retryAfter: 3 } });
    const client = connect();
    const error = await errorOf(client.deactivate({ id: user.id, version: null }));
    expect(error).toMatchObject({ code });
    expect(mayHaveBeenApplied(error)).toBe(false);
    expect(user.active).toBe(true);
    await client.deactivate({ id: user.id, version: null });
    expect(user.active).toBe(false);
  });

  it.each([
    '',
    '{}',
    '<html>',
    '{"access_token":""}',
    '{"access_token":"a\\r\\nb"}',
    '{"access_token":"a","token_type":"mac"}',
  ])('that are none (%j) are garbage, and go nowhere', async (body) => {
    twilio.faults.inject({ path: /token/, fault: { kind: 'garbage', body } });
    expect(await errorOf(connect().findUser(jane))).toMatchObject({ code: 'TWILIO_GARBAGE', sent: false });
    expect(twilio.journal).toHaveLength(1);
  });

  it('that never come are an outage', async () => {
    twilio.faults.inject({ path: /token/, fault: { kind: 'hang' } });
    const error = await errorOf(connect().deactivate({ id: 'US1', version: null }));
    expect(error).toMatchObject({ code: 'TWILIO_OUTAGE', sent: false });
  });
});

describe('secrets', () => {
  it.each([400, 401, 403, 404, 412, 429, 500, 302])(
    'stay out of the error when a %i echoes the access token',
    async (status) => {
      const client = await facing((request, response) => {
        const echo = request.headers.authorization?.replace('Bearer ', '') ?? '';
        response.writeHead(status).end(JSON.stringify({ detail: echo, error: `${'x'.repeat(190)}${echo}` }));
      });
      expect((await errorOf(client.readUser('US1'))).message).toContain(`answered ${status}`);
    },
  );

  it.each([400, 401, 429, 500, 302])('stay out of the error when a %i echoes the token request', async (status) => {
    const refreshToken = 'refresh-token-0123456789';
    const echo = `client_secret=${clientSecret} ${refreshToken} ${btoa(`a:${clientSecret}`)}`;
    const { url } = await serve((_, response) => response.writeHead(status).end(echo));
    const error = await errorOf(connect({ tokenUrl: `${url}/v2/token`, refreshToken }).readUser('US1'));
    expect(error.message).toContain(`Twilio: token answered ${status}`);
  });
});

describe('the addresses', () => {
  const wrong = [
    'http://iam.twilio.com/scim/v2',
    'https://iam.twilio.com.evil.example/scim/v2',
    'https://iam.twilio.com@evil.example/scim/v2',
    'https://user@iam.twilio.com/scim/v2',
    'https://iam.twilio.com:8443/scim/v2',
    'https://eviltwilio.com/scim/v2',
    'https://iam.twilio.com/scim/v2?x=1',
    'http://169.254.169.254',
    'http://127.0.0.1.evil.example',
    'nonsense',
  ];

  it.each(wrong)('%s gets no secret', async (url) => {
    for (const one of [{ baseUrl: url }, { tokenUrl: url }]) {
      const error = await errorOf(Promise.resolve().then(() => connect(one)));
      expect(error).toMatchObject({ code: 'TWILIO_URL', blame: 'input' });
    }
  });

  it.each(['https://iam.twilio.com/scim/v2', 'https://preview-iam.twilio.com/Organizations/OR1/scim'])(
    '%s is Twilio’s',
    (baseUrl) => {
      expect(() => connect({ baseUrl })).not.toThrow();
    },
  );

  it('may end with a slash', async () => {
    await connect({ baseUrl: `${twilio.baseUrl}/` }).readUser('US1');
    expect(twilio.journal.at(-1)?.path).toBe('/scim/v2/Users/US1');
  });
});

function scimError(status: string, code?: number): string {
  return JSON.stringify({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    detail: 'some\nwords',
    status,
    ...(code === undefined ? {} : { code }),
  });
}
