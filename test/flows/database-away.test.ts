import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '#test/support/database.js';
import { startTcpProxy, type TcpProxy } from '#test/support/tcp-proxy.js';
import { adminToken, createWorld, hookSecret, type World } from '#test/support/world.js';

describe('when the database is away', () => {
  let world: World;
  let proxy: TcpProxy;
  beforeAll(async () => {
    const database = await createTestDatabase();
    const url = new URL(database.url);
    proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) });
    url.port = String(proxy.port);
    world = await createWorld({ database, env: { DATABASE_URL: url.href } });
  });
  afterAll(async () => {
    await world.end();
    await proxy.close();
  });

  const post = async (uuid: string) => {
    const began = Date.now();
    const answer = await fetch(`${world.url}/hooks/okta`, {
      method: 'POST',
      headers: { authorization: hookSecret, 'content-type': 'application/json' },
      body: JSON.stringify({
        data: {
          events: [
            {
              uuid,
              eventType: 'user.lifecycle.deactivate',
              target: [{ type: 'User', id: '00u-jane', alternateId: 'jane@acme.com' }],
            },
          ],
        },
      }),
    });
    return { status: answer.status, retryAfter: answer.headers.get('retry-after'), ms: Date.now() - began };
  };

  it.each(['cut', 'freeze'] as const)(
    '(%s) the sender is told to come again while it still listens, and nothing acknowledged is lost',
    async (how) => {
      const jane = world.hire('jane');
      world.okta.setStatus(jane.id, 'DEPROVISIONED');
      proxy[how]();
      const refused = await post(`away-${how}`);
      expect(refused).toMatchObject({ status: 503, retryAfter: expect.any(String) });
      // The promise is two seconds; the sender hangs up after three.
      expect(refused.ms).toBeLessThan(3_000);
      expect((await fetch(`${world.url}/healthz`)).status).toBe(200);
      expect((await fetch(`${world.url}/readyz`)).status).toBe(503);
      // Still no answer for who may not: nothing is told apart while the database is away.
      expect(
        (await fetch(`${world.url}/hooks/okta`, { method: 'POST', headers: { authorization: 'x' }, body: '{}' }))
          .status,
      ).toBe(401);

      const asked = await fetch(`${world.url}/api/v1/people`, { headers: { authorization: `Bearer ${adminToken}` } });
      expect([asked.status, asked.headers.get('retry-after')]).toEqual([503, '5']);
      expect(await asked.json()).toMatchObject({ code: 'DATABASE_AWAY' });

      proxy.heal();
      let answer = await post(`away-${how}`);
      for (let tries = 0; answer.status !== 204 && tries < 20; tries += 1) answer = await post(`away-${how}`);
      expect(answer.status).toBe(204);
      await world.quiet();
      expect(world.account().has(jane.email)).toBe(false);
    },
  );
});
