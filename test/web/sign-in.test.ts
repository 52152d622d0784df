import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { startOidcEmulator, type Tampering } from '#test/emulators/oidc/index.js';
import { createTestDatabase } from '#test/support/database.js';
import { adminToken, https, openConsole, publicUrl } from './console.js';

// reliability.md §11, sessions and access: the number stands before each promise.

const database = await createTestDatabase();
const { db, pool } = database;
const idp = await startOidcEmulator();
const signIn = {
  issuer: idp.issuer,
  clientId: idp.clientId,
  clientSecret: idp.clientSecret,
  extraScopes: ['groups'],
  roles: { viewer: ['auditors', 'guest@acme.com'], operator: ['it'], approver: ['leads'], admin: ['root'] },
};
const { app, ask } = await openConsole(db, { signIn });
afterAll(async () => {
  await app.close();
  await idp.close();
  await database.drop();
});

beforeEach(async () => {
  await pool.query('delete from session; delete from console_user');
  Object.assign(idp, {
    user: { sub: 'u1', email: 'Jane@acme.com', email_verified: true, groups: ['it', 'other'] },
    tampering: {},
    groupsAtUserinfo: false,
    expired: false,
  });
});

const get = (url: string, headers: Record<string, string> = {}) =>
  app.inject({ url, headers: { ...https, ...headers } });
const cookiesOf = (answer: { cookies: { name: string; value: string }[] }) =>
  answer.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');

async function signInByName({ change = (back: URL) => back, again = false, cookie = '' } = {}) {
  const begun = await get(again ? '/sign-in/again' : '/sign-in/by-name?to=/plans', { cookie });
  const back = change(await idp.authorize(String(begun.headers.location)));
  const attempt = cookiesOf(begun);
  const url = `${back.pathname}${back.search}`;
  const answer = await get(url, { cookie: cookie === '' ? attempt : `${attempt}; ${cookie}` });
  return { answer, url, attempt, session: answer.cookies.find(({ name }) => name === '__Host-sendoff') };
}

const audited = async (kind: string) =>
  (await pool.query<{ canonical: string }>('select canonical from audit_entry order by at')).rows
    .map(({ canonical }) => JSON.parse(canonical))
    .filter((record) => record.kind === kind);

describe('sign-in by name', () => {
  it('gives the highest role of the person’s groups, leads where they wanted to go, and is audited', async () => {
    const { answer, session } = await signInByName();
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/plans']);
    const me = await ask('GET', '/api/v1/me', { headers: { cookie: `__Host-sendoff=${session?.value}` } });
    expect(me.body).toMatchObject({ actor: 'user:jane@acme.com', role: 'operator' });
    expect((await audited('session.opened')).at(-1)).toMatchObject({
      actor: 'user:jane@acme.com',
      detail: { role: 'operator' },
    });
  });

  it('25: asks with state, nonce and PKCE S256, for this service’s own address', async () => {
    await signInByName();
    expect(Object.fromEntries(idp.asked ?? [])).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: `${publicUrl}/sign-in/callback`,
      scope: 'openid profile email groups',
      state: expect.stringMatching(/.{32,}/),
      nonce: expect.stringMatching(/.{32,}/),
    });
  });

  it('asks the userinfo endpoint where the ID token tells no groups', async () => {
    idp.groupsAtUserinfo = true;
    expect((await signInByName()).answer.statusCode).toBe(303);
  });

  it('takes a verified address for a group, and an unverified one for nothing', async () => {
    idp.user = { sub: 'g1', email: 'guest@acme.com', email_verified: true };
    expect((await signInByName()).answer.statusCode).toBe(303);
    idp.user = { sub: 'g2', email: 'guest@acme.com', email_verified: false };
    expect((await signInByName()).answer.statusCode).toBe(403);
  });

  it('lets nobody in whose groups have no role', async () => {
    idp.user = { sub: 'u9', email: 'nobody@acme.com', groups: ['other'] };
    const { answer, session } = await signInByName();
    expect([answer.statusCode, session]).toEqual([403, undefined]);
  });

  const tamperings: [string, Tampering][] = [
    ['a nonce of another sign-in', { claims: { nonce: 'x'.repeat(43) } }],
    ['a token for another client', { claims: { aud: 'somebody-else' } }],
    ['a token of another issuer', { claims: { iss: 'https://evil.example' } }],
    ['a token that is over', { claims: { exp: 1 } }],
    ['no signature', { signature: 'none' }],
    ['a signature with the public key as secret', { signature: 'HS256' }],
    ['a signature of somebody else', { signature: 'stranger' }],
  ];
  it.each(tamperings)('9, 25: refuses %s', async (_what, tampering) => {
    idp.tampering = tampering;
    const { answer, session } = await signInByName();
    expect([answer.statusCode, session]).toEqual([401, undefined]);
  });

  it('25: refuses another state, an expired code, a code used twice, and a browser that did not begin', async () => {
    const other = await signInByName({
      change(back) {
        back.searchParams.set('state', 'x'.repeat(43));
        return back;
      },
    });
    expect(other.answer.statusCode).toBe(401);
    const good = await signInByName();
    expect((await get(good.url, { cookie: good.attempt })).statusCode).toBe(401);
    expect((await get(good.url)).statusCode).toBe(401);
    idp.expired = true;
    expect((await signInByName()).answer.statusCode).toBe(401);
  });

  it('25: knows a person by issuer and subject: a borrowed address is no second jane', async () => {
    await signInByName();
    idp.user = { sub: 'u2', email: 'jane@acme.com', groups: ['leads'] };
    expect((await signInByName()).answer.statusCode).toBe(403);
    idp.user = { sub: 'u1', email: 'boss@acme.com', groups: ['it'] };
    const { session } = await signInByName();
    const me = await ask('GET', '/api/v1/me', { headers: { cookie: `__Host-sendoff=${session?.value}` } });
    expect(me.body.actor).toBe('user:jane@acme.com');
  });

  it('goes nowhere but to this service afterwards', async () => {
    const begun = await get('/sign-in/by-name?to=//evil.example/x');
    const back = await idp.authorize(String(begun.headers.location));
    const answer = await get(`${back.pathname}${back.search}`, { cookie: cookiesOf(begun) });
    expect(answer.headers.location).toBe('/');
  });
});

describe('a session', () => {
  const open = async (former = '') => {
    const answer = await app.inject({
      method: 'POST',
      url: '/sign-in',
      headers: { ...https, origin: publicUrl, 'content-type': 'application/x-www-form-urlencoded', cookie: former },
      payload: `token=${adminToken}`,
    });
    return { answer, cookie: cookiesOf(answer) };
  };
  const status = async (cookie: string) => (await get('/api/v1/me', { cookie })).statusCode;

  it('21: is in a __Host- cookie, Secure, HttpOnly, SameSite', async () => {
    const { answer } = await open();
    expect(answer.cookies).toMatchObject([
      { name: '__Host-sendoff', path: '/', httpOnly: true, secure: true, sameSite: 'Lax' },
    ]);
    expect(answer.cookies[0]).not.toHaveProperty('domain');
  });

  it('22: has a new id after sign-in, the old one is dead; signing out ends it here', async () => {
    const first = await open();
    const second = await open(first.cookie);
    expect(second.cookie).not.toBe(first.cookie);
    expect([await status(first.cookie), await status(second.cookie)]).toEqual([401, 200]);
    const headers = { ...https, origin: publicUrl, cookie: second.cookie };
    await app.inject({ method: 'POST', url: '/sign-out', headers });
    expect(await status(second.cookie)).toBe(401);
  });

  it('23: is over after half an hour of nothing, and after twelve hours of anything', async () => {
    const idle = await open();
    await pool.query(`update session set seen_at = now() - interval '31 minutes'`);
    const old = await open();
    await pool.query(
      `update session set created_at = now() - interval '12 hours 1 minute' where seen_at > now() - interval '1 minute'`,
    );
    expect([await status(idle.cookie), await status(old.cookie)]).toEqual([401, 401]);
  });

  it('24: ends at once for a user whom an admin removes', async () => {
    const { session } = await signInByName();
    const cookie = `__Host-sendoff=${session?.value}`;
    expect(await status(cookie)).toBe(200);
    const [user] = (await ask('GET', '/api/v1/users')).body.items;
    expect((await ask('DELETE', `/api/v1/users/${user.id}`)).status).toBe(200);
    expect(await status(cookie)).toBe(401);
  });

  it('26: changes nothing for another site', async () => {
    const { cookie } = await open();
    const stop = (headers: Record<string, string>) =>
      ask('POST', '/api/v1/stops', { body: {}, headers: { cookie, ...headers } });
    for (const headers of [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: publicUrl },
      {},
    ]) {
      const answer = await stop(headers as Record<string, string>);
      expect([headers, answer.status, answer.body.code]).toEqual([headers, 403, 'CROSS_SITE']);
    }
    expect((await pool.query('select * from stop')).rows).toEqual([]);
    expect((await stop({ origin: publicUrl, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    await pool.query('delete from stop');
  });

  it('28: lifts no guard when it was proven more than five minutes ago; signing in again helps', async () => {
    idp.user = { sub: 'u1', email: 'jane@acme.com', groups: ['leads'] };
    const { session } = await signInByName();
    const cookie = `__Host-sendoff=${session?.value}`;
    const resume = (cookie: string) =>
      ask('POST', '/api/v1/stops/resume', { body: {}, headers: { cookie, origin: publicUrl } });
    await pool.query(`update session set proven_at = now() - interval '6 minutes'`);
    expect((await resume(cookie)).body).toMatchObject({ status: 403, code: 'REAUTHENTICATE' });
    const again = await signInByName({ again: true, cookie });
    expect(idp.asked?.get('prompt')).toBe('login');
    expect((await resume(`__Host-sendoff=${again.session?.value}`)).body.code).toBe('NOT_STOPPED');
    // What the provider says of the time counts, should it have let an old sign-in pass.
    idp.tampering = { claims: { auth_time: Math.floor(Date.now() / 1_000) - 600 } };
    const stale = await signInByName({ again: true });
    expect((await resume(`__Host-sendoff=${stale.session?.value}`)).body.code).toBe('REAUTHENTICATE');
  });

  it('29: is not guessed: ten failures slow everybody down, and a guess says nothing of what is right', async () => {
    const guess = () =>
      app.inject({
        method: 'POST',
        url: '/sign-in',
        headers: { ...https, origin: publicUrl, 'content-type': 'application/x-www-form-urlencoded' },
        payload: 'token=wrong',
      });
    const statuses = [];
    for (let n = 0; n < 11; n += 1) statuses.push((await guess()).statusCode);
    expect(statuses).toEqual([...Array(10).fill(401), 429]);
  });
});
