import { readFile } from 'node:fs/promises';
import type { RouteOptions } from 'fastify';
import { afterAll, describe, expect, it } from 'vitest';
import { mayActAs, type Role, roles } from '#shared/access/roles.js';
import { makeToken } from '#shared/operations/tokens.js';
import { createTestDatabase } from '#test/support/database.js';
import { adminToken, https, openConsole } from './console.js';

// Who may ask for what. A new route without a row here, or in docs/access.md, fails.

const database = await createTestDatabase();
const { db, pool } = database;
const roleGroups = { viewer: ['v'], operator: ['o'], approver: ['a'], admin: ['r'] };
const signIn = { issuer: 'https://idp.acme.com', clientId: 'c', clientSecret: 's3cr3t-s3cr3t', roles: roleGroups };
const { app, ask, bearer, cookie } = await openConsole(db, { signIn });
afterAll(async () => {
  await app.close();
  await database.drop();
});

const open = [
  'GET /',
  'POST /sign-in',
  'GET /sign-in/by-name',
  'GET /sign-in/again',
  'GET /sign-in/callback',
  'POST /sign-out',
  'GET /healthz',
  'GET /readyz',
];
/** What senders use, and what is answered 405 there. */
const senders = ['/hooks/:source', '/hooks/:source/lifecycle'].flatMap((url) =>
  ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'].map((method) => `${method} ${url}`),
);
const matrix: Record<Role, string[]> = {
  viewer: [
    'GET /metrics',
    'GET /api/openapi.json',
    'GET /api/v1/overview',
    'GET /api/v1/stream',
    'GET /api/v1/alerts',
    'GET /api/v1/alerts/channels',
    'GET /api/v1/failures',
    'GET /api/v1/events/replays',
    'GET /api/v1/events/replays/:id',
    'GET /api/v1/people',
    'GET /api/v1/people/:id',
    'GET /api/v1/orders',
    'GET /api/v1/events',
    'GET /api/v1/events/:id',
    'GET /api/v1/plans',
    'GET /api/v1/plans/:id',
    'GET /api/v1/actions',
    'GET /api/v1/todos',
    'GET /api/v1/accounts',
    'GET /api/v1/accounts/:account/roster',
    'GET /api/v1/stops',
    'GET /api/v1/keys',
    'GET /api/v1/audit',
    'GET /api/v1/audit/state',
    'GET /api/v1/audit/export',
    'GET /api/v1/reconciliations',
    'GET /api/v1/reconciliations/requests/:id',
    'GET /api/v1/sources',
    'GET /api/v1/config',
    'GET /api/v1/grants',
    'GET /api/v1/me',
    'POST /api/v1/people/search',
    'POST /api/v1/events/search',
    'POST /api/v1/failures/search',
    'POST /api/v1/accounts/:account/roster/search',
    'POST /api/v1/keys/search',
    'POST /api/v1/audit/search',
    'POST /mcp',
    'GET /mcp',
    'DELETE /mcp',
  ],
  operator: [
    'POST /api/v1/orders/offboard',
    'POST /api/v1/orders/cancel',
    'POST /api/v1/orders/restore',
    'POST /api/v1/events/:id/replay',
    'POST /api/v1/events/replays',
    'POST /api/v1/events/replays/:id/abort',
    'POST /api/v1/alerts/test',
    'POST /api/v1/stops',
    'POST /api/v1/plans/preview',
    'GET /api/v1/subscriptions',
    'POST /api/v1/reconciliations',
    'POST /api/v1/keys/readings',
    'POST /api/v1/keys/:account/:id/adopt',
    'PUT /api/v1/keys/:account/:id/owner',
    'POST /api/v1/audit/verifications',
    'POST /api/v1/doctor',
  ],
  approver: [
    'POST /api/v1/plans/:id/approve',
    'POST /api/v1/plans/:id/reject',
    'POST /api/v1/stops/resume',
    'POST /api/v1/reconciliations/accept-shrink',
  ],
  admin: [
    'GET /api/v1/tokens',
    'POST /api/v1/tokens',
    'DELETE /api/v1/tokens/:id',
    'GET /api/v1/users',
    'DELETE /api/v1/users/:id',
  ],
};

/** The dashboard brings its own routes; the two that catch the rest take any method. */
const isOther = ({ url }: RouteOptions) => url.startsWith('/queues') || url === '/api*' || url === '/mcp*';
const namesOf = (route: RouteOptions) =>
  [route.method]
    .flat()
    .filter((method) => method !== 'HEAD')
    .map((method) => `${method} ${route.url}`);
const inRouter = (access: string) =>
  app.guarded
    .filter((route) => !isOther(route) && route.config?.access === access)
    .flatMap(namesOf)
    .sort();
const filled = (name: string): ['GET', string] => {
  const [method, url = ''] = name.split(' ');
  const path = url.replace(':account', 'marketing').replace(/:\w+/g, '00000000-0000-4000-8000-000000000000');
  return [method as 'GET', path];
};

describe('the role matrix', () => {
  it('19: is the router’s, route by route', () => {
    expect(inRouter('public')).toEqual([...open].sort());
    expect(inRouter('sender')).toEqual([...senders].sort());
    for (const role of roles) expect([role, inRouter(role)]).toEqual([role, [...matrix[role]].sort()]);
  });

  it('is the one in docs/access.md', async () => {
    const text = await readFile('docs/access.md', 'utf8');
    const rows = text.split('\n').map((line) => line.replaceAll(/ +/g, ' '));
    for (const role of roles) {
      for (const name of matrix[role]) expect(rows).toContain(`| \`${name}\` | ${role} |`);
    }
  });

  it('18: lets nobody ask without a session, whatever the route, the dashboard and what is not there included', async () => {
    const closed = app.guarded.filter(({ config }) => config?.access !== 'public' && config?.access !== 'sender');
    expect(closed.length).toBeGreaterThan(60);
    for (const name of closed.flatMap(namesOf)) {
      const [method, url] = filled(name.replace('*', '/nothing'));
      if (!/^(GET|POST|PUT|PATCH|DELETE)$/.test(method)) continue;
      for (const headers of [
        {},
        { authorization: 'Bearer wrong' },
        { authorization: 'Basic x' },
        { cookie: '__Host-sendoff=x' },
      ]) {
        const answer = await app.inject({ method, url, headers: { ...https, ...headers } as Record<string, string> });
        expect([name, headers, answer.statusCode]).toEqual([name, headers, 401]);
      }
    }
  });

  it.each(roles)('19: gives the role %s what it needs and nothing above, by token and by cookie', async (role) => {
    for (const needed of roles) {
      // The stream has no end to wait for: stream.test.ts.
      for (const name of matrix[needed].filter((one) => !one.endsWith('/stream'))) {
        const [method, url] = filled(name);
        for (const headers of [await bearer(role), await cookie(roleGroups[role], `${role}@acme.com`)]) {
          const { status, body } = await ask(method, url, { headers: headers as Record<string, string> });
          const isRefused = status === 401 || body?.code === 'ROLE_MISSING';
          expect([role, name, isRefused]).toEqual([role, name, !mayActAs(role, needed)]);
        }
      }
    }
  });

  it('41: takes nothing in an address that may name somebody; each parameter of one was judged here', async () => {
    const judged = [
      'id',
      'account',
      'limit',
      'before',
      'leaving',
      'state',
      'source',
      'type',
      'personId',
      'since',
      'until',
    ];
    const { paths } = (await ask('GET', '/api/openapi.json')).body as {
      paths: Record<string, Record<string, { parameters?: { in: string; name: string }[] }>>;
    };
    const inAddresses = Object.values(paths)
      .flatMap((path) => Object.values(path).flatMap(({ parameters = [] }) => parameters))
      .filter((parameter) => parameter.in !== 'header');
    const names = new Set(inAddresses.map(({ name }) => name));
    expect([...names].sort()).toEqual([...judged, 'filter', 'format', 'kind', 'unattributed'].sort());
    for (const list of ['people', 'events', 'audit', 'failures', 'keys', 'accounts/marketing/roster']) {
      for (const key of ['email', 'search', 'actor', 'owner']) {
        const { status } = await ask('GET', `/api/v1/${list}?${key}=jane%40acme.com`);
        expect([list, key, status]).toEqual([list, key, 400]);
      }
    }
  });

  it('32: lets a viewer look at the dashboard and an operator change it', () => {
    const board = app.guarded.filter(({ url }) => url.startsWith('/queues'));
    expect(board.length).toBeGreaterThan(10);
    for (const { method, config } of board) {
      const reads = [method].flat().every((one) => one === 'GET' || one === 'HEAD');
      expect(config?.access).toBe(reads ? 'viewer' : 'operator');
    }
  });

  it('56: leaves a record of who asked for more than they may', async () => {
    await ask('POST', '/api/v1/tokens', { as: 'viewer', body: { name: 'x', role: 'admin' } });
    const { rows } = await pool.query(
      `select canonical from audit_entry where (canonical::jsonb ->> 'kind') = 'access.refused' order by at desc limit 1`,
    );
    expect(JSON.parse(rows[0].canonical)).toMatchObject({
      actor: 'token:test-viewer',
      detail: { method: 'POST', route: '/api/v1/tokens', role: 'viewer', needs: 'admin' },
    });
  });

  it('24: takes a role away with the group: who is in none that counts is nobody', async () => {
    const jane = await cookie(['no-longer-named']);
    expect((await ask('GET', '/api/v1/me', { headers: jane })).status).toBe(401);
  });

  it('refuses to start with a route that has no role', async () => {
    const other = await openConsole(db);
    await other.app.close();
    const { default: fastify } = await import('fastify');
    const { guardRoutes } = await import('#producers/web/access.js');
    const bare = fastify();
    guardRoutes(bare, { db, adminToken: null, signIn: null });
    bare.get('/forgotten', async () => 'open');
    await expect(bare.ready()).rejects.toThrow('no role in the config of /forgotten');
  });
});

describe('an API token', () => {
  it('31: is long, stored as a hash, shown once, has a role, an end and a last use, and can be ended', async () => {
    const made = await ask('POST', '/api/v1/tokens', { body: { name: 'grafana', role: 'viewer', days: 7 } });
    expect([made.status, made.body.token]).toEqual([201, expect.stringMatching(/^sendoff_[\w-]{43}$/)]);
    const { rows } = await pool.query('select * from api_token where name = $1', ['grafana']);
    expect(JSON.stringify(rows)).not.toContain(made.body.token);
    const listed = async () =>
      (await ask('GET', '/api/v1/tokens')).body.items.find((one: { name: string }) => one.name === 'grafana');
    expect(await listed()).toMatchObject({
      state: 'active',
      role: 'viewer',
      createdBy: 'token:test-admin',
      lastUsedAt: null,
    });
    expect(await listed()).not.toHaveProperty('token');

    const headers = { authorization: `Bearer ${made.body.token}` };
    expect((await ask('GET', '/api/v1/me', { headers })).body).toMatchObject({
      actor: 'token:grafana',
      role: 'viewer',
    });
    const { lastUsedAt } = await listed();
    expect(lastUsedAt).not.toBeNull();
    await ask('GET', '/api/v1/me', { headers });
    expect((await listed()).lastUsedAt).toBe(lastUsedAt);

    await pool.query(`update api_token set expires_at = now() where name = 'grafana'`);
    expect((await ask('GET', '/api/v1/me', { headers })).status).toBe(401);
    await pool.query(`update api_token set expires_at = now() + interval '1 day' where name = 'grafana'`);
    expect((await ask('DELETE', `/api/v1/tokens/${made.body.id}`)).body.state).toBe('revoked');
    expect((await ask('GET', '/api/v1/me', { headers })).status).toBe(401);
    expect((await ask('POST', '/api/v1/tokens', { body: { name: 'grafana', role: 'viewer' } })).body.code).toBe(
      'TOKEN_NAME_TAKEN',
    );
  });

  it('56: is audited when it is made and ended, by whom', async () => {
    const { id } = await makeToken(db, { name: 'short-lived', role: 'operator', days: 1, by: 'operator:kim' });
    await ask('DELETE', `/api/v1/tokens/${id}`);
    const { rows } = await pool.query(
      `select canonical from audit_entry where canonical like '%short-lived%' order by at`,
    );
    expect(rows.map(({ canonical }) => JSON.parse(canonical)).map(({ kind, actor }) => [kind, actor])).toEqual([
      ['token.created', 'operator:kim'],
      ['token.revoked', 'token:test-admin'],
    ]);
  });

  it('gives the admin token everything, for the first use', async () => {
    const headers = { authorization: `Bearer ${adminToken}` };
    expect((await ask('GET', '/api/v1/me', { headers })).body).toMatchObject({ actor: 'admin-token', role: 'admin' });
  });
});

describe('an answer', () => {
  it('36, 37: carries the headers that keep a browser from harm, and is stored nowhere', async () => {
    const { headers } = await ask('GET', '/api/v1/me');
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'strict-transport-security': 'max-age=31536000',
    });
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    expect(policy).not.toContain('unsafe-eval');
  });

  it('40: to what is not there or not right says a code and an id, and nothing of the inside', async () => {
    const missing = await ask('GET', '/api/v1/nothing');
    expect(missing.body).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
      instance: expect.stringMatching(/^urn:request:/),
    });
    expect((await ask('GET', '/api/v1/plans/00000000-0000-4000-8000-000000000000')).body).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
    });
    expect((await ask('GET', '/api/v1/people?before=AAAA')).body).toMatchObject({
      status: 400,
      code: 'CURSOR_INVALID',
    });
    await pool.query('alter table seen_teammate rename to hidden; alter table stop rename to stop_hidden');
    const broken = await ask('GET', '/api/v1/stops');
    await pool.query('alter table hidden rename to seen_teammate; alter table stop_hidden rename to stop');
    expect(broken.body).toMatchObject({ status: 500, code: 'INTERNAL' });
    expect(broken.text).not.toMatch(/stop_hidden|relation|select|node_modules|at /);
  });

  it('34: to a body with more than the schema knows is 400, and names the key', async () => {
    const answer = await ask('POST', '/api/v1/orders/offboard', {
      body: { email: 'a@acme.com', by: 'operator:boss', approved_by: 'x' },
    });
    expect(answer.body).toMatchObject({ status: 400, code: 'INVALID_REQUEST' });
    expect((await pool.query('select * from operator_order')).rows).toEqual([]);
  });

  it('35: believes a forwarded header only from a configured hop', async () => {
    const bare = await openConsole(db, {}, { trustedProxies: 0 });
    const names = await Promise.all(
      [app, bare.app].map(async (one) => {
        const answer = await one.inject({
          method: 'POST',
          url: '/sign-in',
          headers: { ...https, 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' },
          payload: `token=${adminToken}`,
        });
        return answer.cookies[0]?.name;
      }),
    );
    await bare.app.close();
    expect(names).toEqual(['__Host-sendoff', 'sendoff']);
  });

  it('describes the API to who may look, in OpenAPI 3.1', async () => {
    const { body } = await ask('GET', '/api/openapi.json', { as: 'viewer' });
    expect(body.openapi).toBe('3.1.0');
    const described = Object.entries(body.paths).flatMap(([path, operations]) =>
      Object.keys(operations as object).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    );
    const all = roles.flatMap((role) => matrix[role]).filter((name) => name.includes('/api/v1/'));
    expect(described.sort()).toEqual(all.sort());
    const offboard = body.paths['/api/v1/orders/offboard'].post;
    expect(offboard.requestBody.content['application/json'].schema).toMatchObject({
      additionalProperties: false,
      required: ['email'],
    });
    expect(offboard.parameters.map(({ name }: { name: string }) => name)).toContain('Idempotency-Key');
    expect(offboard.responses.default.content).toHaveProperty(['application/problem+json']);
  });
});
