import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { migrateQueue } from '#shared/queue/postgres.js';
import { openDatabase } from '#shared/store/database.js';
import { migrate } from '#shared/store/migrate.js';
import { hookPayload } from '#test/emulators/okta/index.js';
import { createTestDatabase } from '#test/support/database.js';
import { createPostgres } from '#test/support/postgres.js';
import { lcg } from '#test/support/random.js';
import { silent } from '#test/support/silent.js';
import { startTcpProxy, type TcpProxy } from '#test/support/tcp-proxy.js';
import { hookSecret, type World } from '#test/support/world.js';
import { check } from './checker.js';
import { addresses, departure, inWorld, leavers, postUntilTaken, takeoverMs } from './faults.js';

// Away and frozen under intake: test/flows/database-away.test.ts. The embedded server's own deaths: test/embedded/kill.test.ts.

/** Once, unlike Okta, which tries twice. */
async function postOnce(world: World, event: ReturnType<typeof departure>) {
  const began = Date.now();
  const answer = await fetch(`${world.url}/hooks/okta`, {
    method: 'POST',
    headers: { authorization: hookSecret, 'content-type': 'application/json' },
    body: JSON.stringify(hookPayload(world.okta.url, [event])),
  });
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), ms: Date.now() - began };
}

describe.concurrent('PostgreSQL dies', () => {
  it('`-m immediate` and SIGKILL under load: 503 in time while it is down, every acknowledged row afterwards', async () => {
    const server = await createPostgres();
    const options = { max: 5, statementTimeoutMs: 30_000, applicationName: 'test', tls: 'off', log: silent } as const;
    const database = openDatabase({ url: server.url, ...options });
    await migrate(database.db);
    await migrateQueue({ connectionString: server.url });
    const drop = () => database.close().then(server.remove);
    await inWorld({ roles: ['web', 'worker'], database: { ...database, url: server.url, drop } }, async (world) => {
      const people = leavers(world, 40);
      const acknowledged: string[] = [];
      const posting = Promise.all(
        [0, 1, 2, 3].map(async (lane) => {
          for (const person of people.filter((_, i) => i % 4 === lane))
            acknowledged.push(await postUntilTaken(world, person));
        }),
      );
      posting.catch(() => undefined);
      for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
        await sleep(400);
        await server.kill(signal);
        const late = departure(world, { id: '00u-late', email: 'late@acme.com' });
        const refused = await postOnce(world, late);
        expect(refused).toMatchObject({ status: 503, retryAfter: expect.any(String) });
        // The promise is two seconds; the sender hangs up after three.
        expect(refused.ms).toBeLessThan(3_000);
        await server.start();
        const { rows } = await database.pool.query<{ event_id: string }>('select event_id from inbox');
        const kept = new Set(rows.map((row) => row.event_id));
        expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
      }
      await posting;
      await world.quiet(takeoverMs);
      await check(world, { leavers: addresses(people), acknowledged });
      expect(world.sendgrid.applied()).toHaveLength(people.length);
    });
  });
});

describe.concurrent('the connection is lost after COMMIT went out', () => {
  const throughProxy = async (
    run: (world: World, proxy: TcpProxy, url: string) => Promise<void>,
    webToo: boolean,
  ): Promise<void> => {
    const database = await createTestDatabase();
    const url = new URL(database.url);
    const proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) });
    url.port = String(proxy.port);
    try {
      const env = webToo ? { DATABASE_URL: url.href } : {};
      await inWorld({ roles: ['web'], database, env }, (world) => run(world, proxy, url.href));
    } finally {
      await proxy.close();
    }
  };

  it('of a delivery: it is not acknowledged, the sender comes again, and there is one row', () =>
    throughProxy(async (world, proxy) => {
      const people = leavers(world, 1);
      const [event] = people.map((person) => departure(world, person));
      if (event === undefined) throw new Error('nobody left');
      let cuts = 0;
      proxy.cutAfter('commit\0', () => {
        cuts += 1;
        return cuts === 1;
      });
      expect((await postOnce(world, event)).status).toBe(503);
      const stored = await world.database.pool.query('select event_id from inbox');
      expect(stored.rows).toEqual([{ event_id: event.uuid }]);
      expect((await postOnce(world, event)).status).toBe(204);
      await world.start('worker');
      await world.quiet(takeoverMs);
      expect((await world.database.pool.query('select event_id from inbox')).rows).toHaveLength(1);
      await check(world, { leavers: addresses(people), acknowledged: [event.uuid] });
    }, true));

  it('of a worker, again and again: every effect once, whatever it believes', () =>
    throughProxy(async (world, proxy, url) => {
      const seed = Number(process.env['SEED'] ?? Date.now() % 100_000);
      console.log(`SEED=${seed}`);
      const next = lcg(seed);
      let cuts = 0;
      proxy.cutAfter('commit\0', () => {
        if (cuts >= 15 || next() > 0.4) return false;
        cuts += 1;
        return true;
      });
      const people = leavers(world, 8);
      await world.start('worker', { DATABASE_URL: url });
      const acknowledged = await Promise.all(people.map((person) => postUntilTaken(world, person)));
      await world.quiet(takeoverMs);
      expect(cuts).toBe(15);
      await check(world, { leavers: addresses(people), acknowledged });
      expect(world.sendgrid.applied()).toHaveLength(8);
    }, false));
});
