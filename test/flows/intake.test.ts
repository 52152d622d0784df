import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hookPayload } from '#test/emulators/okta/index.js';
import { adminToken, createWorld, hookSecret, type World } from '#test/support/world.js';

const samples = new URL('../../../shared/samples/okta/', import.meta.url);

describe('intake at /hooks/okta', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ roles: ['web'] });
  });
  afterAll(() => world.end());

  const hook = (body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(`${world.url}/hooks/okta`, {
      method: 'POST',
      headers: { authorization: hookSecret, 'content-type': 'application/json', ...headers },
      body,
    });
  const rows = async () =>
    (await world.database.pool.query('select event_id, state, reason from inbox order by seq')).rows as {
      event_id: string;
      state: string;
      reason: string | null;
    }[];
  const payload = (...events: { eventType: string; uuid: string }[]) =>
    JSON.stringify(
      hookPayload(
        'https://acme.okta.com',
        events.map((event) => ({ userId: '00u1', login: 'a@acme.com', ...event })),
      ),
    );

  /** Sends these bytes. @returns what came back */
  const raw = (bytes: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(world.url);
      const socket = connect(Number(port), hostname, () => socket.write(bytes));
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk.toString();
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(answer));
    });

  it('answers the verification challenge and echoes nothing else', async () => {
    const answer = await fetch(`${world.url}/hooks/okta`, { headers: { 'x-okta-verification-challenge': 'abc-123' } });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ verification: 'abc-123' });
    const forged = await fetch(`${world.url}/hooks/okta`, {
      headers: { 'x-okta-verification-challenge': '<script>alert(1)</script> x' },
    });
    expect(forged.status).toBe(401);
  });

  it.each<[string, Record<string, string>, string]>([
    ['a wrong secret', { authorization: 'wrong' }, '/hooks/okta'],
    ['no secret', { authorization: '' }, '/hooks/okta'],
    ['the secret in another case', { authorization: hookSecret.toUpperCase() }, '/hooks/okta'],
    ['the secret and more', { authorization: `${hookSecret}x` }, '/hooks/okta'],
    ['an unknown source', { authorization: hookSecret }, '/hooks/entra'],
  ])('answers %s with the same empty 401 and leaves no row', async (_, headers, path) => {
    const before = (await rows()).length;
    const answer = await fetch(`${world.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: payload({ eventType: 'user.lifecycle.deactivate', uuid: 'forged' }),
    });
    expect([answer.status, await answer.text()]).toEqual([401, '']);
    expect(await rows()).toHaveLength(before);
  });

  it('stores one row for each event of a delivery, and a repeated delivery is a duplicate', async () => {
    const body = payload(
      { eventType: 'user.lifecycle.deactivate', uuid: 'b1' },
      { eventType: 'user.session.start', uuid: 'b2' },
    );
    for (let round = 0; round < 3; round += 1) expect((await hook(body)).status).toBe(204);
    const mine = (await rows()).filter((row) => row.event_id.startsWith('b'));
    expect(mine.map(({ event_id, state }) => [event_id, state])).toEqual([
      ['b1', expect.stringMatching(/received|queued/)],
      ['b2', 'ignored'],
    ]);
  });

  it('takes a hundred parallel deliveries of one event as one', async () => {
    const body = payload({ eventType: 'user.lifecycle.deactivate', uuid: 'parallel' });
    const statuses = await Promise.all(Array.from({ length: 100 }, async () => (await hook(body)).status));
    expect(new Set(statuses)).toEqual(new Set([204]));
    expect((await rows()).filter((row) => row.event_id === 'parallel')).toHaveLength(1);
  });

  it.each([
    ['no JSON', '{"data": {"events": ['],
    ['another envelope', '{"hello": "world"}'],
    ['an empty body', ''],
    [
      'keys that would change prototypes',
      '{"data":{"events":[{"uuid":"p1","eventType":"user.lifecycle.deactivate","__proto__":{"x":1}}]}}',
    ],
    ['500,000 brackets', '['.repeat(500_000)],
    ['an event nested 10,000 deep', `{"data":{"events":[${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}]}}`],
    [
      'NUL and lone surrogates',
      JSON.stringify({ data: { events: [{ uuid: 'u\u0000\ud800', eventType: 'user.lifecycle.deactivate' }] } }),
    ],
  ])('quarantines %s, answers 2xx, and lives on', async (_, body) => {
    const before = (await rows()).filter((row) => row.state === 'quarantined').length;
    expect((await hook(body)).status).toBe(204);
    const quarantined = (await rows()).filter((row) => row.state === 'quarantined');
    expect(quarantined).toHaveLength(before + 1);
    expect(quarantined.at(-1)?.reason).toBeTruthy();
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('refuses more than 1 MiB by 413, however it is announced', async () => {
    const big = Buffer.alloc(1024 * 1024 + 1, 'a');
    const before = (await rows()).length;
    expect((await hook(big)).status).toBe(413);
    const chunked = await fetch(`${world.url}/hooks/okta`, {
      method: 'POST',
      headers: { authorization: hookSecret },
      body: new ReadableStream({
        start(controller) {
          for (let i = 0; i < 18; i += 1) controller.enqueue(Buffer.alloc(64 * 1024, 'a'));
          controller.close();
        },
      }),
      duplex: 'half',
    } as RequestInit).catch(() => ({ status: 413 }));
    expect(chunked.status).toBe(413);
    expect(await rows()).toHaveLength(before);
  });

  it('refuses compressed bodies', async () => {
    for (const encoding of ['gzip', 'deflate', 'br']) {
      expect((await hook('x', { 'content-encoding': encoding })).status).toBe(415);
    }
  });

  it.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'])('answers %s by 405, whatever the source', async (method) => {
    for (const path of ['/hooks/okta', '/hooks/okta/lifecycle', '/hooks/nobody']) {
      const head = await raw(`${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect([path, head.split('\r\n')[0]]).toEqual([path, 'HTTP/1.1 405 Method Not Allowed']);
      expect(head.toLowerCase()).toContain('allow: get, head, post');
    }
  });

  // What another server in front might read in another way is no request (reliability.md §11, 14).
  it.each([
    ['two lengths of one body', ['Content-Length: 2', 'Transfer-Encoding: chunked']],
    ['two hosts', ['Host: y', 'Content-Length: 2']],
    ['a header without its carriage return', ['X: 1\nContent-Length: 2']],
    ['two secrets', [`Authorization: ${hookSecret}`, 'Content-Length: 2']],
  ])('refuses %s', async (_, headers) => {
    const before = (await rows()).length;
    const lines = ['Host: x', `Authorization: ${hookSecret}`, 'Connection: close', ...headers];
    const head = await raw(`POST /hooks/okta HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n{}`);
    expect(head).toMatch(/^HTTP\/1.1 400 /);
    expect(await rows()).toHaveLength(before);
  });

  it('takes Okta’s published samples as they are', async (context) => {
    if (!existsSync(samples)) return context.skip('the published samples lie beside the project, not in it');
    const bodies = readdirSync(samples)
      .filter((name) => /^(event-hook\.(group|user)|log-event)/.test(name) && !name.includes('.http.'))
      .map((name) => JSON.parse(readFileSync(new URL(name, samples), 'utf8')) as { data?: unknown });
    const before = (await rows()).length;
    for (const body of bodies) {
      const delivery = body.data === undefined ? { data: { events: Array.isArray(body) ? body : [body] } } : body;
      expect((await hook(JSON.stringify(delivery))).status).toBe(204);
    }
    const added = (await rows()).slice(before);
    expect(added.length).toBeGreaterThanOrEqual(bodies.length);
    expect(added.filter((row) => row.state === 'quarantined')).toEqual([]);
  });

  it('answers 401 to whoever may not, on every page but health, sign-in and hooks', async () => {
    const open = ['/healthz', '/readyz', '/'];
    const closed = [
      '/metrics',
      '/queues',
      '/queues/',
      '/queues/api/queues',
      '/api/v1/events',
      '/api/openapi.json',
      '/mcp',
    ];
    for (const path of open) expect([path, (await fetch(`${world.url}${path}`)).status]).toEqual([path, 200]);
    for (const path of closed) {
      expect([path, (await fetch(`${world.url}${path}`)).status]).toEqual([path, 401]);
      expect([
        path,
        (await fetch(`${world.url}${path}`, { headers: { authorization: 'Bearer wrong' } })).status,
      ]).toEqual([path, 401]);
    }
    const metrics = await fetch(`${world.url}/metrics`, { headers: { authorization: `Bearer ${adminToken}` } });
    expect(await metrics.text()).toContain('sendoff_events{state="quarantined"}');
  });

  it('cuts slow senders off and serves others meanwhile', async () => {
    const { hostname, port } = new URL(world.url);
    const sockets = Array.from({ length: 50 }, (_, i) => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      socket.resume();
      socket.write('POST /hooks/okta HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n');
      // Half of them in the middle of the headers, half in the middle of the body.
      if (i % 2 === 1) socket.write('\r\n{');
      return socket;
    });
    const closed = Promise.all(sockets.map((socket) => new Promise((resolve) => socket.on('close', resolve))));
    expect((await hook(payload({ eventType: 'user.session.start', uuid: 'meanwhile' }))).status).toBe(204);
    await closed;
  }, 40_000);
});
