import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createRedis, type RedisServer } from '#test/redis/redis.js';
import { type SendoffProcess, until } from '#test/support/sendoff.js';
import type { World } from '#test/support/world.js';
import { check } from './checker.js';
import { addresses, departure, inWorld, leavers, takeoverMs } from './faults.js';
import { killUnderLoad } from './kill-loop.js';

type Role = 'web' | 'worker';

async function onRedis(
  roles: Role[],
  run: (world: World, redis: RedisServer) => Promise<void>,
  start: Parameters<RedisServer['start']>[0] = {},
  latencyMs = 0,
): Promise<void> {
  const redis = await createRedis();
  try {
    await redis.start(start);
    await inWorld({ roles, latencyMs, env: { REDIS_URL: redis.url } }, (world) => run(world, redis));
  } finally {
    await redis.end();
  }
}

/** Posts each event once, as if Okta never came again. @returns the slowest answer in ms */
async function postAll(world: World, people: ReturnType<typeof leavers>): Promise<number> {
  let slowest = 0;
  for (const person of people) {
    const began = Date.now();
    expect(await world.post(departure(world, person))).toBe(204);
    slowest = Math.max(slowest, Date.now() - began);
  }
  return slowest;
}

async function finish(world: World, people: ReturnType<typeof leavers>): Promise<void> {
  await world.quiet(takeoverMs);
  await check(world, { leavers: addresses(people), acknowledged: people.map((one) => departure(world, one).uuid) });
  expect(world.sendgrid.applied()).toHaveLength(people.length);
}

describe.concurrent('Redis', () => {
  it('killed under load, with its append-only file and without: intake goes on, and the work after the restart', () =>
    onRedis(
      ['web', 'worker'],
      async (world, redis) => {
        const people = leavers(world, 30);
        for (const keeps of [true, false]) {
          const some = people.splice(0, 10);
          people.push(...some);
          await postAll(world, some);
          await redis.kill();
          // While it is down.
          const more = people.splice(0, 5);
          people.push(...more);
          await postAll(world, more);
          await redis.start({ keeps });
        }
        await finish(world, people);
      },
      { keeps: true },
    ));

  it('emptied under load, jobs in hand included: the sweeper builds the queue anew', () =>
    onRedis(
      ['web', 'worker'],
      async (world, redis) => {
        const people = leavers(world, 30);
        await postAll(world, people);
        for (let i = 0; i < 3; i += 1) {
          await until('another person is out', () => world.sendgrid.applied().length > i);
          await redis.flush();
        }
        await finish(world, people);
      },
      {},
      100,
    ));

  it('absent at boot: web takes events in and says that it is degraded, the worker waits', () =>
    onRedis([], async (world, redis) => {
      await redis.kill();
      await world.start('web');
      const worker = world.start('worker');
      worker.catch(() => undefined);
      const people = leavers(world, 3);
      await postAll(world, people);
      const ready = await fetch(`${world.url}/readyz`);
      expect([ready.status, await ready.json()]).toEqual([200, expect.objectContaining({ status: 'degraded' })]);
      await redis.start();
      await worker;
      await finish(world, people);
    }));

  it('frozen: intake is as fast as ever, and an ambiguous add does no harm', () =>
    onRedis(['web', 'worker'], async (world, redis) => {
      const people = leavers(world, 20);
      redis.signal('SIGSTOP');
      expect(await postAll(world, people)).toBeLessThan(1_000);
      // Past the time limit of a command, so that what was sent counts as failed and is there all the same.
      await until('the relay has noticed', () => world.running[0]?.output().includes('jobs wait in the database'));
      await sleep(1_000);
      redis.signal('SIGCONT');
      await finish(world, people);
    }));

  it('out of memory under noeviction: intake goes on, somebody is told, and the work once there is memory again', () =>
    onRedis(['web', 'worker'], async (world, redis) => {
      const people = leavers(world, 10);
      await redis.limitMemory(1);
      await postAll(world, people);
      await until('the relay says so', () => world.running[0]?.output().includes('jobs wait in the database'));
      await redis.limitMemory(0);
      await finish(world, people);
    }));

  it('that evicts: refused, with what to do', () =>
    onRedis(
      ['web'],
      async (world) => {
        const refused = await world.workplace.run(['worker']);
        expect(refused.code).toBe(2);
        expect(refused.stderr).toContain('noeviction');
      },
      { policy: 'allkeys-lru' },
    ));

  it('SIGKILL of web, worker and Redis at random under load', () =>
    onRedis(['web', 'worker'], async (world, redis) => {
      const processes: SendoffProcess[] = [...world.running];
      await killUnderLoad(world, {
        people: 30,
        kills: 12,
        async disturb(next) {
          const victim = Math.floor(next() * 3);
          if (victim === 2) {
            await redis.kill();
            await redis.start();
            return;
          }
          await processes[victim]?.kill();
          processes[victim] = await world.start(victim === 0 ? 'web' : 'worker');
        },
      });
    }));
});
