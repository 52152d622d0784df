import { describe, expect, it } from 'vitest';
import type { FailpointName } from '#shared/failpoint.js';
import { until } from '#test/support/sendoff.js';
import type { World } from '#test/support/world.js';
import { check } from './checker.js';
import { addresses, fate, inWorld, leavers, postUntilTaken, takeoverMs } from './faults.js';

/** The one action as the database has it. */
async function action(world: World): Promise<{ fence: number; announced: boolean } | null> {
  const { rows } = await world.database.pool.query<{ fence: number; announced: boolean }>(
    `select fence::int, before is not null as announced from action where state = 'executing'`,
  );
  return rows[0] ?? null;
}

describe.concurrent('workers that die or stand still in the middle of a job', () => {
  it('three dead workers on one job do not end it: the fourth completes it', () =>
    inWorld({ roles: ['web'] }, async (world) => {
      const people = leavers(world, 1);
      for (let death = 1; death <= 3; death += 1) {
        // It may die before it said that it is up.
        const victim = world.start('worker', { SENDOFF_FAILPOINT: 'plan.before_commit:kill' });
        victim.catch(() => undefined);
        if (death === 1) {
          await victim;
          for (const person of people) await postUntilTaken(world, person);
        }
        await victim.then(fate, (error: unknown) => expect(String(error)).toContain('ended with null'));
      }
      await world.start('worker');
      await world.quiet(takeoverMs);
      await check(world, { leavers: addresses(people) });
    }));

  it.each<[string, FailpointName, 'stop' | 'block:60000']>([
    ['its event loop blocked beyond the lease, before it looked', 'action.after_claim', 'block:60000'],
    ['its event loop blocked beyond the lease, about to send', 'action.before_act', 'block:60000'],
    ['stopped beyond the lease, about to send', 'action.before_act', 'stop'],
    ['stopped beyond the lease, having sent', 'action.after_act', 'stop'],
  ])('%s: another does the job, and the late one is fenced', (_, point, what) =>
    inWorld({ roles: ['web'] }, async (world) => {
      const people = leavers(world, 1);
      const late = await world.start('worker', { SENDOFF_FAILPOINT: `${point}:${what}` });
      for (const person of people) await postUntilTaken(world, person);
      await until('the first worker has it', async () => {
        const held = await action(world);
        return held !== null && (held.announced || point === 'action.after_claim');
      });
      if (point === 'action.after_act') await until('it is sent', () => world.sendgrid.applied().length === 1);
      await world.start('worker');
      await world.quiet(takeoverMs);
      const before = world.sendgrid.journal.length;

      if (what === 'stop') late.child.kill('SIGCONT');
      await until('the late one is fenced', () => late.output().includes('fenced: another worker'), takeoverMs);
      await world.quiet();
      expect(world.sendgrid.journal.slice(before).filter(({ method }) => method !== 'GET')).toEqual([]);
      await check(world, { leavers: addresses(people) });
      expect(world.sendgrid.applied()).toHaveLength(1);
    }),
  );
});
