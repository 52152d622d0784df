import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '#test/support/database.js';
import { https, openConsole } from './console.js';

// How the built console is served; what is on its pages is test/console.

const dir = await mkdtemp(join(tmpdir(), 'sendoff-console-'));
await mkdir(join(dir, 'assets'));
await writeFile(join(dir, 'index.html'), '<meta property="csp-nonce" nonce="NONCE"><script src="/assets/a-1.js">');
await writeFile(join(dir, 'assets/a-1.js'), 'let a;');
await writeFile(join(dir, 'assets/a-1.js.gz'), gzipSync('let a;'));
const database = await createTestDatabase();
const { app } = await openConsole(database.db, {}, { consoleDir: dir });
const withoutConsole = await openConsole(database.db, {}, { consoleDir: join(dir, 'not-built') });
afterAll(async () => {
  await app.close();
  await withoutConsole.app.close();
  await database.drop();
  await rm(dir, { recursive: true });
});

const get = (url: string, headers: Record<string, string> = {}) =>
  app.inject({ url, headers: { ...https, accept: 'text/html', ...headers } });
const bearer = { authorization: 'Bearer test-admin-token-0123456789' };

describe('the console', () => {
  it('is for who is signed in: others get the sign-in page', async () => {
    const [home, page] = [await get('/'), await get('/people/1')];
    expect([home.statusCode, page.statusCode]).toEqual([200, 401]);
    for (const { body } of [home, page]) expect(body).toContain('Sign in to Sendoff');
  });

  it('is the same page at each of its addresses, and at no other', async () => {
    for (const url of ['/', '/people', '/people/1', '/accounts/a', '/audit?kind=x', '/settings']) {
      expect((await get(url, bearer)).body).toContain('/assets/a-1.js');
    }
    expect((await get('/peoples', bearer)).statusCode).toBe(404);
  });

  it('lets styles in by a nonce that no other answer has, and scripts from here alone', async () => {
    const nonces = new Set<string>();
    for (const url of ['/', '/people', '/people']) {
      const { headers, body } = await get(url, bearer);
      const policy = String(headers['content-security-policy']);
      const nonce = /style-src [^;]*'nonce-([^']{22,})'/.exec(policy)?.[1] ?? '';
      expect(policy).toContain("script-src 'self';");
      expect(body).toContain(`nonce="${nonce}"`);
      expect(headers['cache-control']).toBe('no-store');
      nonces.add(nonce);
    }
    expect(nonces.size).toBe(3);
  });

  it('sends its files compressed, to be kept for ever', async () => {
    const { headers, statusCode } = await get('/assets/a-1.js', { 'accept-encoding': 'gzip' });
    expect(statusCode).toBe(200);
    expect(headers['content-encoding']).toBe('gzip');
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    for (const url of ['/assets/b.js', '/assets/../index.html', '/assets/%2e%2e/index.html']) {
      expect((await get(url)).statusCode).toBeGreaterThanOrEqual(400);
    }
  });

  it('gives way to a plain page where it was not built', async () => {
    const { body } = await withoutConsole.app.inject({ url: '/', headers: { ...https, ...bearer } });
    expect(body).toContain('Signed in as admin-token');
  });
});
