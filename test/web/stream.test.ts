import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '#test/support/database.js';
import { until } from '#test/support/sendoff.js';
import { openConsole } from './console.js';

// Which views changed, as server-sent events: over real HTTP, for it has no end.

const database = await createTestDatabase();
const { db, pool } = database;
const signIn = {
  issuer: 'https://idp.acme.com',
  clientId: 'c',
  clientSecret: 's3cr3t-s3cr3t',
  roles: { viewer: ['v'], operator: ['o'], approver: ['a'], admin: ['r'] },
};
const { app, bearer, cookie, ask } = await openConsole(db, { signIn });
/** As a platform’s router says that it came over TLS. */
const forwarded = { 'x-forwarded-proto': 'https' };
let url: string;
beforeAll(async () => {
  await app.listen({ port: 0, host: '127.0.0.1' });
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/api/v1/stream`;
});
afterAll(async () => {
  await app.close();
  await database.drop();
});

/** A page that watches. */
async function watch(headers: Record<string, string>) {
  const leaving = new AbortController();
  const answer = await fetch(url, { headers: { ...forwarded, ...headers }, signal: leaving.signal });
  const watcher = { answer, text: '', ended: false, leave: () => leaving.abort() };
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) watcher.text += decoder.decode(chunk as Uint8Array);
  };
  read()
    .catch(() => undefined)
    .finally(() => {
      watcher.ended = true;
    });
  return watcher;
}
const told = (watcher: { text: string }) =>
  [...watcher.text.matchAll(/event: changed\ndata: (.*)\n/g)].flatMap(([, data]) => JSON.parse(data ?? '').kinds);
const event = (id: string) =>
  pool.query(`insert into inbox (source, event_id, raw, state) values ('okta', $1, '{}', 'received')`, [id]);

describe('the stream of changes', () => {
  it('says which views changed, to everybody who watches, and is neither kept nor collected on its way', async () => {
    const [one, other] = [await watch(await bearer('viewer')), await watch((await cookie(['v'])) as never)];
    expect(one.answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(one.answer.headers.get('cache-control')).toContain('no-store');
    expect(one.answer.headers.get('x-accel-buffering')).toBe('no');
    await until('both watch', () => one.text.includes('event: ready') && other.text.includes('event: ready'));
    await event('e1');
    await until('both are told', () => told(one).includes('events') && told(other).includes('events'));
    expect(told(one)).toEqual(['events']);
    await pool.query(`insert into stop (scope, stopped_by) values ('*', 'test')`);
    await until('both are told', () => told(one).includes('accounts') && told(other).includes('accounts'));
    // It names views, and nobody.
    expect(one.text).not.toContain('okta');
    one.leave();
    other.leave();
  });

  it('shows by itself that it lives, or a proxy would cut it', async () => {
    const page = await watch(await bearer('viewer'));
    await until('a beat', () => page.text.includes(': still here'));
    page.leave();
  });

  it.each<[string, () => Promise<unknown>]>([
    ['the session is over', () => pool.query(`delete from session where actor = 'user:ann@acme.com'`)],
    ['the session was idle', () => pool.query(`update session set seen_at = now() - interval '31 minutes'`)],
    ['the group lost its role', () => pool.query(`update session set groups = '{other}'`)],
  ])('ends in a moment when %s', async (_, happens) => {
    const page = await watch((await cookie(['v'], 'ann@acme.com')) as never);
    await until('it watches', () => page.text.includes('event: ready'));
    await happens();
    await until('it ended', () => page.ended, 10_000);
  });

  it('ends with its token, and keeps no session open', async () => {
    const headers = await bearer('viewer', 'short');
    const page = await watch(headers);
    const idle = await watch((await cookie(['v'], 'idle@acme.com')) as never);
    const seen = async () =>
      (await pool.query(`select seen_at from session where actor = 'user:idle@acme.com'`)).rows[0];
    const before = await seen();
    await pool.query(`update api_token set revoked_at = now() where name = 'short'`);
    await until('it ended', () => page.ended);
    expect(await seen()).toEqual(before);
    expect(idle.ended).toBe(false);
    idle.leave();
  });

  it('is for who may look, and for so many at once; the rest ask every few seconds', async () => {
    expect((await fetch(url, { headers: forwarded })).status).toBe(401);
    const headers = await bearer('viewer');
    const pages = await Promise.all(Array.from({ length: 200 }, () => watch(headers)));
    const refused = await watch(headers);
    expect(refused.answer.status).toBe(503);
    expect(Number(refused.answer.headers.get('retry-after'))).toBeGreaterThan(0);
    await until('it says why', () => refused.text.includes('STREAM_FULL'));
    for (const page of pages) page.leave();
    await until('there is room again', async () => {
      const page = await watch(headers);
      page.leave();
      return page.answer.status === 200;
    });
  });

  it('ends when the process stops, which waits for nobody who watches', async () => {
    const other = await openConsole(db);
    await other.app.listen({ port: 0, host: '127.0.0.1' });
    const before = url;
    url = `http://127.0.0.1:${(other.app.server.address() as AddressInfo).port}/api/v1/stream`;
    const page = await watch(await other.bearer('viewer', 'stopping'));
    url = before;
    await until('it watches', () => page.text.includes('event: ready'));
    await other.app.close();
    await until('it ended', () => page.ended);
    expect((await ask('GET', '/api/v1/me')).status).toBe(200);
  });
});
