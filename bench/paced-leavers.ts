import { readFile } from 'node:fs/promises';
import { inTurns } from '#shared/in-turns.js';
import type { JournalEntry } from '#test/emulators/sendgrid/index.js';
import { until } from '#test/support/sendoff.js';
import type { World } from '#test/support/world.js';
import { type Section, seconds } from './section.js';
import { openBenchWorld } from './world.js';

// Scaled down from 10,000 leavers under 600 calls a minute: the limit must be the bound, and not this machine, so windows
// are longer than SendGrid’s. Looks fall into three of them, the last not full: a look or two more than needed changes nothing.
const accounts = 50;
const leaversEach = 7;
const limit = { limit: 5, windowSeconds: 90 };
/** Look, delete, look again. */
const looksEach = 2;
const eventsPerDelivery = 20;
const deliveriesAtOnce = 4;
const withinMs = 300_000;

export const pacedLeavers: Section = {
  name: 'paced-leavers',
  title: 'Many leavers under a rate limit',
  async run(serverUrl) {
    const world = await openBenchWorld(serverUrl, { roles: [], accounts: seeds() });
    try {
      for (const email of leaving()) world.okta.addUser({ id: `00u-${email}`, email });
      await world.start('up');
      await world.reconciled();
      const before = world.sendgrid.journal.length;
      const cpuBefore = await cpuSeconds(world);
      await announceAll(world);
      const progress = await untilAllRemoved(world);
      const cpu = (await cpuSeconds(world)) - cpuBefore;
      return report(world.sendgrid.journal.slice(before), progress, cpu);
    } finally {
      await world.end();
    }
  },
};

const names = () => Array.from({ length: accounts }, (_, i) => `brand${i}`);
const leaversOf = (account: string) => Array.from({ length: leaversEach }, (_, i) => `${account}-${i}@acme.com`);

/** In the order of their hooks: one of each account, then the next of each. */
function leaving(): string[] {
  const byAccount = names().map(leaversOf);
  return Array.from({ length: leaversEach }, (_, i) => byAccount.map((leavers) => leavers[i] ?? '')).flat();
}

function seeds() {
  return names().map((name) => ({
    name,
    rateLimit: limit,
    teammates: leaversOf(name).map((email) => ({ email })),
  }));
}

async function announceAll(world: World): Promise<void> {
  const people = [...world.okta.users.values()];
  for (const { id } of people) world.okta.setStatus(id, 'DEPROVISIONED');
  const deliveries = Array.from({ length: Math.ceil(people.length / eventsPerDelivery) }, (_, i) =>
    people.slice(i * eventsPerDelivery, (i + 1) * eventsPerDelivery),
  );
  await inTurns(deliveries, deliveriesAtOnce, async (delivery) => {
    await world.post(...delivery.map((person) => world.event('user.lifecycle.deactivate', person)));
  });
}

interface Progress {
  done: number;
  /** From the first hook taken in to the last removal read back, by the database's clock. */
  ms: number;
}

async function untilAllRemoved({ database }: World): Promise<Progress> {
  let progress: Progress = { done: 0, ms: 0 };
  const isDone = async () => {
    const { rows } = await database.pool.query<Progress>(
      `select count(*)::int as done, extract(epoch from max(finished_at) - (select min(received_at) from inbox))::float8 * 1000 as ms
       from action where state = 'done' and kind = 'deprovision'`,
    );
    progress = rows[0] ?? progress;
    return progress.done >= accounts * leaversEach;
  };
  // What was not done by then is told in the table.
  await until('everybody is removed', isDone, withinMs).catch(() => undefined);
  return progress;
}

/** CPU time of Sendoff's own process so far: tells whether the limit was the bound, or the machine. */
async function cpuSeconds({ running }: World): Promise<number> {
  const stat = await readFile(`/proc/${running[0]?.child.pid}/stat`, 'utf8').catch(() => '');
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) / 100;
}

function report(journal: JournalEntry[], { done, ms }: Progress, cpu: number): Awaited<ReturnType<Section['run']>> {
  const leavers = accounts * leaversEach;
  const needed = minimumMs(leaversEach * looksEach);
  const counts = new Map<string, number>();
  for (const { account, endpoint } of journal) {
    const key = `${account} ${endpoint}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const sent = Math.max(...[...counts.values()].map(minimumMs));
  const looks = journal.filter(({ endpoint }) => endpoint === 'GET /v3/teammates/{username}').length;
  const refused = journal.filter(({ status }) => status === 429).length;
  const deleted = journal.filter(({ method, applied }) => method === 'DELETE' && applied).length;
  const ratio = ms / needed;
  return {
    rows: [
      {
        what: `${leavers} leavers over ${accounts} accounts, ${limit.limit} calls per endpoint and ${limit.windowSeconds} s: first hook to last removal read back, against the least that the limit allows`,
        measured:
          done < leavers
            ? `only ${done} after ${seconds(withinMs)}`
            : `${seconds(ms)} / ${seconds(needed)} = ${ratio.toFixed(2)} x`,
        promise: 'within 1.1 x',
        met: ratio <= 1.1 && done === leavers,
      },
      {
        what: `the same run: calls answered 429, of ${journal.length}`,
        measured: `${refused}`,
        promise: 'no 429 loop: at most one per account and endpoint',
        met: refused <= accounts,
      },
      {
        what: `the same run: looks at one teammate, and deletions`,
        measured: `${looks} and ${deleted}`,
        promise: `${leavers * looksEach} and ${leavers} needed; looks within 1.1 x`,
        met: looks <= leavers * looksEach * 1.1 && deleted === leavers,
      },
    ],
    text: `The least that the limit allows: (ceil(n / ${limit.limit}) - 1) x ${limit.windowSeconds} s for n calls of one endpoint of one account, for the first window costs no wait. The n that are needed are ${looksEach} looks for each of an account's ${leaversEach} leavers. By the calls really sent, in the emulator's journal, the busiest endpoint's least is ${seconds(sent)}. The emulator's windows, like SendGrid's resets, end on whole seconds, so a window lasts up to a second longer than that. Sendoff's own process used ${cpu.toFixed(0)} s of CPU meanwhile.`,
  };
}

function minimumMs(calls: number): number {
  return (Math.ceil(calls / limit.limit) - 1) * limit.windowSeconds * 1_000;
}
