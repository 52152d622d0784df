import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { until } from '#test/support/sendoff.js';
import { check } from './checker.js';
import { addresses, inWorld, leavers, postUntilTaken, takeoverMs } from './faults.js';

const hour = 3_600_000;

/** The environment of a process whose clock is off. */
function shifted(ms: number): NodeJS.ProcessEnv {
  const preload = fileURLToPath(new URL('shifted-clock.mjs', import.meta.url));
  return { NODE_OPTIONS: `--import=${preload}`, CLOCK_SHIFT_MS: String(ms) };
}

describe.concurrent('a host’s clock is an hour off', () => {
  it.each([
    ['fast', hour],
    ['slow', -hour],
  ])('%s: a worker on it does its work all the same', (_, ms) =>
    inWorld({ roles: ['web'] }, async (world) => {
      const people = leavers(world, 5);
      await world.start('worker', shifted(ms));
      const acknowledged = await Promise.all(people.map((person) => postUntilTaken(world, person)));
      await world.quiet(takeoverMs);
      await check(world, { leavers: addresses(people), acknowledged });
    }),
  );

  it('fast: a worker on it takes nothing over before the lease has run out by the database’s clock', () =>
    inWorld({ roles: ['web'] }, async (world) => {
      const people = leavers(world, 1);
      const held = await world.start('worker', { SENDOFF_FAILPOINT: 'action.before_act:stop' });
      const acknowledged = await Promise.all(people.map((person) => postUntilTaken(world, person)));
      const lease = await until('the first worker has announced it', async () => {
        const { rows } = await world.database.pool.query<{ until: Date }>(
          `select lease_until as until from action where state = 'executing' and before is not null`,
        );
        return rows[0];
      });
      await world.start('worker', shifted(hour));
      await world.quiet(takeoverMs);
      const [change] = world.sendgrid.applied();
      expect(change?.at).toBeGreaterThanOrEqual(lease.until.getTime());
      held.child.kill('SIGKILL');
      await check(world, { leavers: addresses(people), acknowledged });
    }));

  it('of two workers whose clocks differ by an hour each goes on with what the other began', () =>
    inWorld({ roles: ['web'] }, async (world) => {
      const people = leavers(world, 20);
      await Promise.all([world.start('worker'), world.start('worker', shifted(hour))]);
      const acknowledged = await Promise.all(people.map((person) => postUntilTaken(world, person)));
      await world.quiet(takeoverMs);
      await check(world, { leavers: addresses(people), acknowledged });
    }));
});
