import type { JournalEntry } from '#test/emulators/sendgrid/index.js';
import { until } from '#test/support/sendoff.js';
import { type Section, seconds } from './section.js';
import { openBenchWorld } from './world.js';

const leavers = 40;
const limit = { limit: 20, windowSeconds: 5 };
const withinMs = 90_000;

/** One account, two worker processes, nothing between them but the pacer's table. */
export const twoWorkers: Section = {
  name: 'two-workers',
  title: 'Two workers, one limit',
  async run(serverUrl) {
    const people = Array.from({ length: leavers }, (_, i) => ({ id: `00u-${i}`, email: `person${i}@acme.com` }));
    const world = await openBenchWorld(serverUrl, {
      roles: [],
      accounts: [{ name: 'marketing', rateLimit: limit, teammates: people.map(({ email }) => ({ email })) }],
    });
    for (const person of people) world.okta.addUser(person);
    await world.start('web');
    await Promise.all([world.start('worker'), world.start('worker')]);
    await world.reconciled();
    for (const { id } of people) world.okta.setStatus(id, 'DEPROVISIONED');
    const began = performance.now();
    await world.post(...people.map((person) => world.event('user.lifecycle.deactivate', person)));
    const owners = new Set<string>();
    await until(
      'everybody is removed',
      async () => {
        const { rows } = await world.database.pool.query<{ state: string; lease_owner: string | null }>(
          'select state, lease_owner from action',
        );
        for (const { lease_owner: owner } of rows) if (owner !== null) owners.add(owner);
        return rows.filter(({ state }) => state === 'done').length >= leavers;
      },
      withinMs,
    );
    const took = performance.now() - began;
    const { journal } = world.sendgrid;
    const refused = journal.filter(({ status }) => status === 429).length;
    const fullest = fullestWindow(journal);
    await world.end();
    return {
      rows: [
        {
          what: `${leavers} leavers in one account, two worker processes, ${limit.limit} calls per endpoint and ${limit.windowSeconds} s: calls beyond the limit, by the emulator's count`,
          measured: `${refused} of ${journal.length} calls; at most ${fullest} in a window; ${owners.size} workers acted; ${seconds(took)}`,
          promise: '0, and both workers acted',
          met: refused === 0 && owners.size === 2,
        },
      ],
    };
  },
};

/** Counted anew from the journal: a window opens with the first call after the last one's end, and ends on a whole second. */
function fullestWindow(journal: JournalEntry[]): number {
  const windows = new Map<string, { count: number; endsAt: number }>();
  let fullest = 0;
  for (const { account, endpoint, at } of journal) {
    const key = `${account} ${endpoint}`;
    const open = windows.get(key);
    const window =
      open !== undefined && open.endsAt > at
        ? open
        : { count: 0, endsAt: Math.ceil(at / 1_000 + limit.windowSeconds) * 1_000 };
    window.count += 1;
    windows.set(key, window);
    fullest = Math.max(fullest, window.count);
  }
  return fullest;
}
