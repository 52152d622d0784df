import { once } from 'node:events';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { freePort, until } from '#test/support/sendoff.js';
import { hookSecret } from '#test/support/world.js';
import { check } from './checker.js';
import { addresses, departure, inWorld, leavers, postUntilTaken, takeoverMs } from './faults.js';

// Poison of every kind, and duplicates at one web process: test/flows/intake.test.ts.

describe('intake', () => {
  it('one event delivered 100 times at once to two web processes: 100 × 2xx, one event, one effect', () =>
    inWorld({ roles: ['web', 'worker'] }, async (world) => {
      const port = await freePort();
      await world.start('web', { PORT: String(port) });
      const people = leavers(world, 1);
      const events = people.map((person) => departure(world, person));
      const urls = [world.url, `http://127.0.0.1:${port}`];
      const statuses = await Promise.all(
        Array.from({ length: 100 }, (_, i) => world.okta.deliver(`${urls[i % 2]}/hooks/okta`, hookSecret, events)),
      );
      expect(new Set(statuses)).toEqual(new Set([204]));
      await world.quiet();
      await check(world, { leavers: addresses(people), acknowledged: events.map(({ uuid }) => uuid) });
      expect((await world.database.pool.query('select 1 from inbox')).rows).toHaveLength(1);
    }));

  it('poison among 500 deliveries is put aside, and the other 499 flow', () =>
    inWorld({ roles: ['web', 'worker'] }, async (world) => {
      const people = leavers(world, 499);
      const acknowledged: string[] = [];
      const poison = async () => {
        const answer = await fetch(`${world.url}/hooks/okta`, {
          method: 'POST',
          headers: { authorization: hookSecret, 'content-type': 'application/json' },
          body: '{"data":{"events":[{"uuid":"poison","eventType":{"no":"text"},"target":"nobody"}]}}',
        });
        expect(answer.status).toBe(204);
      };
      const lanes = 20;
      await Promise.all(
        Array.from({ length: lanes }, async (_, lane) => {
          for (let i = lane; i < 500; i += lanes) {
            const person = people[i < 250 ? i : i - 1];
            if (i === 250) await poison();
            else if (person !== undefined) acknowledged.push(await postUntilTaken(world, person));
          }
        }),
      );
      await world.quiet(takeoverMs);
      const { rows } = await world.database.pool.query(
        `select state, count(*)::int as n, bool_and(reason is not null) as said from inbox group by state order by state`,
      );
      expect(rows).toEqual([
        { state: 'done', n: 499, said: false },
        { state: 'quarantined', n: 1, said: true },
      ]);
      await check(world, { leavers: addresses(people), acknowledged });
      expect(world.sendgrid.applied()).toHaveLength(499);
    }));

  it('SIGTERM under load: what was accepted is answered 2xx, both roles end with 0 in time, and nothing is lost', () =>
    inWorld({ roles: ['web', 'worker'] }, async (world) => {
      const people = leavers(world, 40);
      const [early, inHand, later] = [people.slice(0, 20), people.slice(20, 30), people.slice(30)];
      const acknowledged = await Promise.all(early.map((person) => postUntilTaken(world, person)));

      // Requests are in hand while the table is locked; the signal comes now.
      const lock = new Client({ connectionString: world.database.url });
      await lock.connect();
      await lock.query('begin; lock table inbox in share mode');
      const answers = Promise.all(
        inHand.map((person) => world.okta.deliver(`${world.url}/hooks/okta`, hookSecret, [departure(world, person)])),
      );
      await until('they wait for the table', async () => {
        const { rows } = await world.database.pool.query(
          `select count(*)::int as n from pg_stat_activity where application_name = 'sendoff-web' and wait_event_type = 'Lock'
           and query like '%insert into inbox%' and datname = current_database()`,
        );
        return rows[0].n >= 1;
      });
      const began = Date.now();
      const codes = Promise.all(world.running.map((one) => one.stop()));
      await lock.query('commit');
      await lock.end();
      expect(new Set(await answers)).toEqual(new Set([204]));
      expect(await codes).toEqual([0, 0]);
      // A platform kills after 30 s.
      expect(Date.now() - began).toBeLessThan(25_000);
      for (const { child } of world.running) if (child.exitCode === null) await once(child, 'exit');

      await world.start('web');
      await world.start('worker');
      for (const person of later) acknowledged.push(await postUntilTaken(world, person));
      acknowledged.push(...inHand.map((person) => departure(world, person).uuid));
      await world.quiet(takeoverMs);
      await check(world, { leavers: addresses(people), acknowledged });
      expect(world.sendgrid.applied()).toHaveLength(40);
    }));
});
