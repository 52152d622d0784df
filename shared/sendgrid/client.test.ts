import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createSendGridClient, type SendGridClient } from './client.js';
import { mayHaveBeenApplied } from './errors.js';
import type { Pace } from './pace.js';

const apiKey = 'SG.aaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb';
const unpaced: Pace = { acquire: async () => undefined, observe: async () => 1_000 };
const answer = z.object({ ok: z.boolean() });
const read = { method: 'GET', path: '/v3/thing', answer } as const;
const write = { method: 'DELETE', path: '/v3/thing', answer: null } as const;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const open: { server: Server; client: SendGridClient; baseUrl: string }[] = [];
const unauthorized: string[] = [];

/** A client in front of a server that answers in any way. */
async function facing(handle: Handler, pace = unpaced): Promise<SendGridClient> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => handle(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createSendGridClient({
    account: 'marketing',
    apiKey,
    baseUrl,
    pace,
    onUnauthorized: async (account) => void unauthorized.push(account),
    timeouts: { connectMs: 1_000, totalMs: 300 },
  });
  open.push({ server, client, baseUrl });
  return client;
}

function answering(status: number, body = '', headers: Record<string, string> = {}): Promise<SendGridClient> {
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
  if (typeof value === 'string') {
    expect(value).not.toMatch(/SG\.a|aaaaaaaaaa|bbbbbbbbbb/);
    expect(value).not.toContain(Buffer.from(apiKey).toString('base64'));
  }
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  for (const key of Reflect.ownKeys(value)) {
    expect(String(key).toLowerCase()).not.toBe('authorization');
    expectNoSecret(key, seen);
    expectNoSecret(Reflect.get(value, key), seen);
  }
}

afterEach(async () => {
  unauthorized.length = 0;
  for (const { server, client } of open.splice(0)) {
    server.closeAllConnections();
    server.close();
    await client.close();
  }
});

describe('what an answer becomes', () => {
  it('a value, tolerant of unknown keys', async () => {
    const client = await answering(200, '{"ok":true,"new":{"deep":1}}');
    expect(await client.call(read)).toEqual({ ok: true });
  });

  it.each([
    [400, 'SENDGRID_REFUSED', 'SendGridRefused'],
    [403, 'SENDGRID_FORBIDDEN', 'SendGridRefused'],
    [404, 'SENDGRID_NOT_FOUND', 'SendGridNotFound'],
    [405, 'SENDGRID_REFUSED', 'SendGridRefused'],
    [409, 'SENDGRID_REFUSED', 'SendGridRefused'],
    [413, 'SENDGRID_REFUSED', 'SendGridRefused'],
    [422, 'SENDGRID_REFUSED', 'SendGridRefused'],
    [429, 'SENDGRID_LIMITED', 'SendGridLimited'],
    [401, 'SENDGRID_UNAUTHORIZED', 'SendGridUnauthorized'],
  ])('%i is %s: definitive, nothing was applied', async (status, code, name) => {
    const client = await answering(status, '{"errors":[{"message":"some words","field":null}]}');
    const error = await errorOf(client.call(write));
    expect(error).toMatchObject({ code, name, facts: { status } });
    expect(error.message).toBe(`SendGrid marketing: DELETE /v3/thing answered ${status}: some words`);
    expect(mayHaveBeenApplied(error)).toBe(false);
  });

  it.each([301, 302, 307, 308, 408, 500, 502, 503, 504])(
    '%i is an outage: a write may have been applied',
    async (status) => {
      const client = await answering(status, 'oops', { location: '/elsewhere' });
      expect(await errorOf(client.call(write))).toMatchObject({ code: 'SENDGRID_OUTAGE', sent: true });
      expect(await errorOf(client.call(read))).toMatchObject({ code: 'SENDGRID_OUTAGE', sent: false });
    },
  );

  it('500 "invalid scopes provided" is a refusal', async () => {
    const client = await answering(500, '{"errors":[{"message":"invalid scopes provided"}]}');
    expect(await errorOf(client.call(write))).toMatchObject({ code: 'SENDGRID_REFUSED', name: 'SendGridRefused' });
  });

  it('a redirect is not followed', async () => {
    const seen: (string | undefined)[] = [];
    const client = await facing((request, response) => {
      seen.push(request.url);
      response.writeHead(302, { location: '/v3/other' }).end();
    });
    await errorOf(client.call(read));
    expect(seen).toEqual(['/v3/thing']);
  });

  it.each(['', 'null', '[]', '{}', '<html>', '{"ok":"yes"}', '{"ok":tr'])(
    '2xx with %j is garbage, never an empty answer',
    async (body) => {
      const client = await answering(200, body);
      expect(await errorOf(client.call(read))).toMatchObject({ code: 'SENDGRID_GARBAGE', sent: false });
      expect(await errorOf(client.call({ ...read, method: 'POST' }))).toMatchObject({
        code: 'SENDGRID_GARBAGE',
        sent: true,
      });
    },
  );

  it('packed answers are not asked for, and not unpacked', async () => {
    let asked: string | string[] | undefined;
    const client = await facing((request, response) => {
      asked = request.headers['accept-encoding'];
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"ok":true}'));
    });
    expect(await errorOf(client.call(read))).toMatchObject({ code: 'SENDGRID_GARBAGE' });
    expect(asked).toBe('identity');
  });

  it.each([200, 404, 500])('more than 5 MiB with status %i is an outage', async (status) => {
    const client = await answering(status, `{"ok":true,"pad":"${'x'.repeat(5 * 1024 * 1024)}"}`);
    expect(await errorOf(client.call(write))).toMatchObject({ code: 'SENDGRID_OUTAGE', sent: true });
  });
});

describe('no answer', () => {
  const cases: [string, Handler][] = [
    ['silence', () => undefined],
    ['a reset', (_, response) => response.destroy()],
    [
      'half a body, then a reset',
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"ok":');
        setTimeout(() => response.destroy(), 20);
      },
    ],
    ['half a body, then silence', (_, response) => void response.writeHead(404).write('{"errors":')],
    ['headers without end', (_, response) => response.socket?.write('HTTP/1.1 200 OK\r\nx-a: ')],
    ['no HTTP', (_, response) => response.socket?.end('220 mail ESMTP\r\n')],
  ];
  it.each(cases)('%s: nobody knows whether a write was applied; nothing is repeated', async (_, handle) => {
    let requests = 0;
    const client = await facing((request, response) => {
      requests += 1;
      handle(request, response);
    });
    expect(await errorOf(client.call(write))).toMatchObject({ code: 'SENDGRID_OUTAGE', sent: true });
    expect(await errorOf(client.call(read))).toMatchObject({ code: 'SENDGRID_OUTAGE', sent: false });
    expect(requests).toBe(2);
  });

  it('nobody listens: surely not applied', async () => {
    const client = await answering(200);
    await new Promise((resolve) => open[0]?.server.close(resolve));
    expect(await errorOf(client.call(write))).toMatchObject({
      code: 'SENDGRID_OUTAGE',
      sent: false,
      facts: { code: 'ECONNREFUSED' },
    });
  });

  it('a total time, however slowly something arrives', async () => {
    const client = await facing((_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    });
    const begun = performance.now();
    expect(await errorOf(client.call(write))).toMatchObject({ facts: { code: 'TIMEOUT' }, sent: true });
    expect(performance.now() - begun).toBeLessThan(1_500);
  });
});

describe('secrets', () => {
  it.each([400, 401, 404, 429, 500, 302])('stay out of the error when a %i echoes them', async (status) => {
    const echoes = [
      JSON.stringify({ errors: [{ message: `bad Authorization: Bearer ${apiKey}`, field: apiKey }] }),
      `<html>GET /v3/thing Authorization: Bearer ${apiKey}`,
      `${'x'.repeat(290)}${apiKey}`,
      `token=${Buffer.from(apiKey).toString('base64')}`,
    ];
    for (const echo of echoes) {
      const client = await answering(status, echo);
      const message = (await errorOf(client.call(read))).message;
      expect(message).toContain(`answered ${status}`);
      expect(message.length).toBeLessThan(450);
    }
  });

  it('stay out of the error when a 2xx is garbage', async () => {
    const client = await answering(200, JSON.stringify({ ok: apiKey, [apiKey]: 1 }));
    await errorOf(client.call(read));
  });
});

describe('a 401', () => {
  it('is told once per answer, and is the error even if it could not be told', async () => {
    const client = await answering(401, '{"errors":[{"message":"authorization required"}]}');
    await errorOf(client.call(read));
    expect(unauthorized).toEqual(['marketing']);
    const deaf = createSendGridClient({
      account: 'marketing',
      apiKey,
      baseUrl: open[0]?.baseUrl ?? '',
      pace: { ...unpaced, observe: () => Promise.reject(new Error('database away')) },
      onUnauthorized: () => Promise.reject(new Error('database away')),
    });
    expect(await errorOf(deaf.call(read))).toMatchObject({ code: 'SENDGRID_UNAUTHORIZED' });
    await deaf.close();
  });
});

describe('paths', () => {
  const named = (username: string) => ({ ...read, path: '/v3/teammates/{username}', params: { username } });
  const echo: Handler = (request, response) => response.end(JSON.stringify({ ok: true, url: request.url }));

  it.each([
    '../user',
    'a/b?x',
    'jane+mkt@acme.com',
    'Jane Doe',
    '%2e%2e',
    '..%2f',
    'a#b',
    'a;b',
    '...',
    'ü',
    '\r\nHost: evil',
    '{username}',
    '$&',
  ])('%j stays one segment', async (username) => {
    let url = '';
    const client = await facing((request, response) => {
      url = request.url ?? '';
      echo(request, response);
    });
    await client.call(named(username));
    expect(url).toBe(`/v3/teammates/${encodeURIComponent(username)}`);
  });

  it('any name at all reaches its own endpoint or is refused before anything is sent', async () => {
    const urls: string[] = [];
    const client = await facing((request, response) => {
      urls.push(request.url ?? '');
      echo(request, response);
    });
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 20 }), async (username) => {
        urls.length = 0;
        const error = await client.call(named(username)).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        if (error !== null) expect(error).toMatchObject({ code: 'SENDGRID_NAME_INVALID' });
        else {
          const path = new URL(urls[0] ?? '', 'http://x').pathname.split('/');
          expect(path.slice(0, 3)).toEqual(['', 'v3', 'teammates']);
          expect(path).toHaveLength(4);
          expect(decodeURIComponent(path[3] ?? '')).toBe(username);
        }
      }),
      { numRuns: 100 },
    );
  });

  it.each(['', '.', '..', '\ud800'])('%j is refused, nothing is sent', async (username) => {
    let requests = 0;
    const client = await facing((request, response) => {
      requests += 1;
      echo(request, response);
    });
    const error = await errorOf(client.call({ ...named(username), method: 'DELETE' }));
    expect(error.code).toBe('SENDGRID_NAME_INVALID');
    expect(mayHaveBeenApplied(error)).toBe(false);
    expect(requests).toBe(0);
  });

  it.each(['account-id 12', 'a\r\nx: y', '', ' a', 'ü'])('%j is no subuser to act for', async (subuser) => {
    const client = await facing(echo);
    expect(await errorOf(client.call({ ...read, subuser }))).toMatchObject({ code: 'SENDGRID_NAME_INVALID' });
  });

  it('sends who it acts for, and the key as bearer', async () => {
    let headers: IncomingMessage['headers'] = {};
    const client = await facing((request, response) => {
      headers = request.headers;
      echo(request, response);
    });
    await client.call({ ...read, subuser: 'brand-eu' });
    expect(headers).toMatchObject({ 'on-behalf-of': 'brand-eu', authorization: `Bearer ${apiKey}` });
  });
});

describe('the base URL', () => {
  it.each([
    'http://api.sendgrid.com',
    'https://api.sendgrid.com.evil.example',
    'https://api.sendgrid.com@evil.example',
    'https://user@api.sendgrid.com',
    'https://api.sendgrid.com:8443',
    'https://evil.example',
    'http://169.254.169.254',
    'http://127.0.0.1.evil.example',
    'http://127.0.0.1:80/v3',
    'nonsense',
  ])('%s gets no key', async (baseUrl) => {
    const create = () =>
      createSendGridClient({ account: 'a', apiKey, baseUrl, pace: unpaced, onUnauthorized: async () => undefined });
    const error = await errorOf(Promise.resolve().then(create));
    expect(error.code).toBe('SENDGRID_URL');
  });
});

describe('at once', () => {
  it('at most four reads and one write are under way', async () => {
    const now = { GET: 0, DELETE: 0 };
    const most = { GET: 0, DELETE: 0 };
    const client = await facing((request, response) => {
      const method = request.method as 'GET' | 'DELETE';
      now[method] += 1;
      most[method] = Math.max(most[method], now[method]);
      setTimeout(() => {
        now[method] -= 1;
        response.end('{"ok":true}');
      }, 15);
    });
    await Promise.all(Array.from({ length: 24 }, (_, index) => client.call(index % 3 === 0 ? write : read)));
    expect(most).toEqual({ GET: 4, DELETE: 1 });
  });

  it('a place is given back after a failure', async () => {
    const client = await facing((_, response) => response.destroy());
    for (let n = 0; n < 6; n += 1) await errorOf(client.call(read));
    for (let n = 0; n < 3; n += 1) await errorOf(client.call(write));
  });
});
