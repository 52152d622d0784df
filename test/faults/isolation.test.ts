import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type World } from '#test/support/world.js';

/** What the machine itself makes of a moment. */
const noiseMs = 300;
const tries = 3;

describe('what goes wrong in one account', () => {
  let world: World;
  let hired = 0;
  beforeAll(async () => {
    world = await createWorld({ accounts: [{ name: 'sick' }, { name: 'well' }], latencyMs: 30 });
    world.sendgrid.on('request', ({ account, method, applied, path }) => {
      if (account !== 'well' || method !== 'DELETE' || !applied) return;
      onRemoval.get(decodeURIComponent(path.split('/').at(-1) ?? ''))?.();
    });
    // Another than the leavers, so that the directory never lists nobody.
    world.hire('stays');
  });
  afterAll(() => world.end());

  /** Told of each removal from the account that is well. */
  const onRemoval = new Map<string, () => void>();

  const hire = (count: number) =>
    Array.from({ length: count }, () => {
      hired += 1;
      return world.hire(`p${hired}`);
    });
  /** From the hook to the removal from the account that is well, for each of them. */
  const latencies = async (count: number, atOnce: number): Promise<number[]> => {
    const people = hire(count);
    const all: number[] = [];
    for (let from = 0; from < count; from += atOnce) {
      const leaving = people.slice(from, from + atOnce).map((person) => {
        world.okta.setStatus(person.id, 'DEPROVISIONED');
        const removed = new Promise<number>((resolve) => {
          onRemoval.set(person.email, () => resolve(performance.now()));
        });
        const sent = performance.now();
        return world.post(world.event('user.lifecycle.deactivate', person)).then(async (status) => {
          expect(status).toBe(204);
          return (await removed) - sent;
        });
      });
      all.push(...(await Promise.all(leaving)));
    }
    return all;
  };
  const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

  /** The same with and without the fault, in turn: one try without the machine's own hiccups is enough. */
  const expectUnmoved = async (count: number, atOnce: number, fall: () => () => void): Promise<void> => {
    const seen: string[] = [];
    for (let one = 0; one < tries; one += 1) {
      const baseline = median(await latencies(count, atOnce));
      await world.quiet(90_000);
      const recover = fall();
      const faulty = median(await latencies(count, atOnce));
      recover();
      await world.quiet(120_000);
      seen.push(`${Math.round(faulty)} ms beside the fault, ${Math.round(baseline)} ms without`);
      if (process.env.SHOW_TIMES) console.log(seen.at(-1));
      if (faulty < 2 * baseline + noiseMs) return;
    }
    expect.fail(`the other account waits too: ${seen.join('; ')}`);
  };

  const faulty = (fault: Parameters<World['sendgrid']['faults']['inject']>[0]['fault']) => () => {
    const injected = world.sendgrid.faults.inject({ account: 'sick', fault });
    return () => injected.remove();
  };
  const revoked = () => {
    world.account('sick').revoked = true;
    return () => {
      world.account('sick').revoked = false;
    };
  };

  it.each([
    ['429', faulty({ kind: 'status', status: 429, retryAfter: 2 })],
    ['429 without Retry-After', faulty({ kind: 'status', status: 429 })],
    ['500', faulty({ kind: 'status', status: 500 })],
    ['no answer at all', faulty({ kind: 'hang' })],
    ['401', revoked],
  ])(
    '%s there: the other account’s removals take less than twice their time',
    async (_, fall) => {
      await expectUnmoved(7, 1, fall);
    },
    400_000,
  );

  it('no answer there to a burst: the other account’s removals take less than twice their time', async () => {
    await expectUnmoved(25, 25, faulty({ kind: 'hang' }));
  }, 400_000);

  it('in the end everybody is gone from both, each removed once, and nothing failed', async () => {
    await world.quiet(120_000);
    const left = ['sick', 'well'].map((name) => [...world.account(name).teammates.keys()].sort());
    expect(left).toEqual([
      ['sick-owner', 'stays@acme.com'],
      ['stays@acme.com', 'well-owner'],
    ]);
    const removed = world.sendgrid.applied().map(({ account, path }) => `${account} ${path}`);
    expect(removed).toHaveLength(2 * hired);
    expect(new Set(removed).size).toBe(removed.length);
    const { rows } = await world.database.pool.query(`select count(*)::int as n from action where state = 'failed'`);
    expect(rows[0].n).toBe(0);
  }, 150_000);
});
