import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { addressOf } from './address.js';
import { openServer, type Server } from './client.js';

const token = 'token-0123456789';
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A server that answers as it is told, and remembers who asked. */
async function serverThat(answer: Answer): Promise<{ server: Server; seen: IncomingMessage[]; origin: string }> {
  const seen: IncomingMessage[] = [];
  const http = createServer((request, response) => {
    seen.push(request);
    answer(request, response, seen.length);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const server = openServer(addressOf(origin, token));
  closing.push(
    () => server.close(),
    () => new Promise((resolve) => http.close(resolve)),
  );
  return { server, seen, origin };
}

const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const named = z.object({ name: z.string() });

describe('a request to a server', () => {
  it('shows the token, and a write has a key of its own', async () => {
    const { server, seen } = await serverThat((_, response) => json(response, 200, { name: 'x', more: 1 }));
    expect(await server.get('/things', named, { limit: 5, before: undefined, at: new Date(0) })).toEqual({
      name: 'x',
      more: 1,
    });
    await server.post('/things', named, { a: 1 });
    await server.post('/things', named, { a: 1 });
    expect(seen.map(({ url }) => url)).toEqual([
      '/api/v1/things?limit=5&at=1970-01-01T00%3A00%3A00.000Z',
      '/api/v1/things',
      '/api/v1/things',
    ]);
    expect(new Set(seen.map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${token}`]));
    const keys = seen.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toBeUndefined();
    expect(new Set(keys.slice(1)).size).toBe(2);
  });

  it('is repeated with the same key while the server restarts, and done once', async () => {
    const { server, seen } = await serverThat((request, response, count) => {
      if (count === 1) request.socket.destroy();
      else if (count === 2) json(response, 503, { code: 'STOPPING' });
      else json(response, 202, { name: 'done' });
    });
    expect(await server.post('/things', named, {})).toEqual({ name: 'done' });
    expect(new Set(seen.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(seen).toHaveLength(3);
  });

  it('gives up in the end, with what the server said', async () => {
    const { server, seen } = await serverThat((_, response) =>
      json(response, 503, { code: 'DIRECTORY_UNAVAILABLE', detail: 'okta is away' }),
    );
    await expect(server.get('/things', named)).rejects.toMatchObject({
      code: 'DIRECTORY_UNAVAILABLE',
      blame: 'remote',
    });
    expect(seen).toHaveLength(3);
  });

  it('follows no redirect: the token goes nowhere else', async () => {
    const other = await serverThat((_, response) => json(response, 200, { name: 'stolen' }));
    const { server } = await serverThat((_, response) =>
      response.writeHead(307, { location: `${other.origin}/api/v1/things` }).end(),
    );
    await expect(server.get('/things', named)).rejects.toMatchObject({ code: 'SERVER_MOVED' });
    await expect(server.stream('/things', {}).next()).rejects.toMatchObject({ code: 'SERVER_MOVED' });
    expect(other.seen).toEqual([]);
  });

  it('does not take what it cannot read for an answer', async () => {
    const { server } = await serverThat((_, response, count) =>
      count === 1 ? json(response, 200, { title: 'a page' }) : response.end('<html>'),
    );
    await expect(server.get('/things', named)).rejects.toMatchObject({ code: 'SERVER_STRANGE' });
    await expect(server.get('/things', named)).rejects.toMatchObject({ code: 'SERVER_STRANGE' });
  });

  it('waits no longer than it is told', async () => {
    const { server } = await serverThat(() => undefined);
    await expect(server.get('/things', named, {}, 50)).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
      message: expect.stringContaining('timeout'),
    });
  });

  it('notices a text that broke off', async () => {
    const { server } = await serverThat((_, response) => {
      response.write('one\n');
      setImmediate(() => response.destroy());
    });
    const read = async () => {
      for await (const _ of server.stream('/audit/export', {}));
    };
    await expect(read()).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
  });
});

describe('the address of a server', () => {
  it.each(['https://sendoff.acme.com', 'https://sendoff.acme.com:8443/', 'http://localhost:3000', 'http://[::1]:3000'])(
    'may be %s',
    (text) => expect(addressOf(text, token).origin).toBe(text.replace(/\/$/, '')),
  );

  it.each([
    'http://sendoff.acme.com',
    'http://127.0.0.1.acme.com',
    'https://user:password@acme.com',
    'https://acme.com/sendoff',
    'ftp://acme.com',
    'sendoff.acme.com',
  ])('may not be %s, and no password is repeated', (text) => {
    const failing = () => addressOf(text, token);
    expect(failing).toThrow(expect.objectContaining({ code: 'SERVER_INVALID', blame: 'input' }));
    expect(failing).not.toThrow(/password@/);
  });
});
