import { describe, expect, it } from 'vitest';
import { type FailpointName, failpoints } from '#shared/failpoint.js';
import { createRedis } from '#test/redis/redis.js';
import { until } from '#test/support/sendoff.js';
import type { World } from '#test/support/world.js';
import { check } from './checker.js';
import { addresses, departure, fate, inWorld, isLong, leavers, postUntilTaken, takeoverMs } from './faults.js';

interface Case {
  /** At which passing: later ones find others of the same kind half-way. */
  passing: number;
  /** Posted alone, the first event is not acknowledged and leaves so many rows; polled, all of them do. */
  stored?: number;
  /** Nothing is posted: the events are found in the sender's log. */
  isPolled?: true;
}

/** Where it dies, and what must be true at that moment. The checker says what must be true in the end. */
const cases: Record<FailpointName, Case> = {
  'intake.before_commit': { passing: 1, stored: 0 },
  'intake.after_commit': { passing: 1, stored: 1 },
  'relay.after_add': { passing: 2 },
  'pull.before_commit': { passing: 1, stored: 0, isPolled: true },
  'pull.after_commit': { passing: 1, stored: 3, isPolled: true },
  'plan.before_commit': { passing: 2 },
  'plan.after_commit': { passing: 2 },
  'action.after_claim': { passing: 2 },
  'action.before_act': { passing: 2 },
  'action.after_act': { passing: 2 },
  'action.before_finish': { passing: 2 },
  'action.after_finish': { passing: 2 },
  'settle.before_commit': { passing: 2 },
};

it('every failpoint of the code has its case', () => {
  expect(Object.keys(cases).sort()).toEqual([...failpoints].sort());
});

describe.each(isLong ? (['postgres', 'redis'] as const) : (['postgres'] as const))('queue on %s', (backend) => {
  it.concurrent.each(failpoints)('SIGKILL at %s: everything is done, and each effect once', async (name) => {
    const redis = backend === 'redis' ? await createRedis() : null;
    await redis?.start();
    try {
      const env = redis === null ? {} : { REDIS_URL: redis.url };
      if (cases[name].isPolled) await inWorld({ roles: [], env, sources: polled }, (world) => killPullAt(world, name));
      else await inWorld({ roles: [], env }, (world) => killAt(world, name));
    } finally {
      await redis?.end();
    }
  });
});

/** An Okta whose address is known only when the world is there. */
const polled = {
  authority: 'okta',
  yaml: `  okta: { type: okta, orgUrl: "\${OKTA_ORG_URL}", token: "\${OKTA_API_TOKEN}", hookSecret: x, poll: 1s }`,
};

async function killPullAt(world: World, name: FailpointName): Promise<void> {
  const { passing, stored } = cases[name];
  world.workplace.env['OKTA_ORG_URL'] = world.okta.url;
  // The comparison that follows a first start would find them too.
  const first = await world.start('up');
  await world.reconciled();
  await first.stop();
  const people = leavers(world, 3);
  const left = world.okta.unpushed.filter(({ eventType }) => eventType === 'user.lifecycle.deactivate');
  const ids = left.map(({ uuid }) => uuid);
  const storedIds = async () =>
    (await world.database.pool.query('select event_id from inbox where event_id = any($1)', [ids])).rows.length;

  // It may die before it has said that it is up.
  const starting = world.start('up', { SENDOFF_FAILPOINT: `${name}:kill:${passing}` });
  const end = await starting.then(fate, (error: Error) => error.message);
  expect(end).toMatch(/^SIGKILL$|ended with null before it was up/);
  expect(await storedIds()).toBe(stored);
  await world.start('up');
  await until('the log was read', async () => (await storedIds()) === ids.length, takeoverMs);
  await world.quiet(takeoverMs);
  await check(world, { leavers: addresses(people), acknowledged: ids });
  expect(world.sendgrid.applied()).toHaveLength(people.length);
}

async function killAt(world: World, name: FailpointName): Promise<void> {
  const { passing, stored } = cases[name];
  const people = leavers(world, 3);
  const stayer = world.hire('stayer');
  // An invitation is a second effect, of another kind, for one of them.
  const { token } = world.account().invite({ email: people[0]?.email ?? '' });

  const victim = await world.start('up', { SENDOFF_FAILPOINT: `${name}:kill:${passing}` });
  if (stored !== undefined) {
    expect(await world.post(...people.slice(0, 1).map((person) => departure(world, person)))).not.toBe(204);
    const { rows } = await world.database.pool.query('select event_id from inbox');
    expect(rows).toHaveLength(stored);
  }
  const posting = Promise.all(people.map((person) => postUntilTaken(world, person)));
  posting.catch(() => undefined);
  expect(await fate(victim)).toBe('SIGKILL');
  await world.start('up');
  const acknowledged = await posting;
  await world.quiet(takeoverMs);

  await check(world, { leavers: addresses(people), acknowledged, invitations: [token] });
  expect(world.sendgrid.applied()).toHaveLength(4);
  expect(world.account().has(stayer.email)).toBe(true);
}
