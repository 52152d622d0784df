import type { World } from '#test/support/world.js';
import type { Section } from './section.js';
import { openBenchWorld } from './world.js';

export const leaver: Section = {
  name: 'leaver',
  title: 'One leaver, and a burst',
  async run(serverUrl) {
    const world = await openBenchWorld(serverUrl, { roles: ['up'], latencyMs: 50 });
    const { p50, p95, ownCalls } = await measureLeavers(world, 30);
    const burst = await measureBurst(world, 20);
    await world.end();
    const invitations = burst['GET /v3/teammates/pending'] ?? 0;
    const shown = Object.entries(burst).map(([endpoint, count]) => `${count} ${endpoint}`);
    return {
      rows: [
        {
          what: 'hook received to removal read back, idle, SendGrid answers in 50 ms',
          measured: `p50 ${Math.round(p50)} ms, p95 ${Math.round(p95)} ms`,
          promise: 'p95 < 2 s',
          met: p95 < 2_000,
        },
        {
          what: 'SendGrid calls of one leaver’s own',
          measured: String(ownCalls),
          promise: 'at most 3',
          met: ownCalls <= 3,
        },
        {
          what: '20 leavers in one delivery: shared lists',
          measured: shown.join(', '),
          // A walk of a short list takes two calls: the page, and the empty one that proves its end.
          promise: 'invitations and own user walked once',
          met: invitations <= 2,
        },
      ],
    };
  },
};

interface LeaverFigures {
  p50: number;
  p95: number;
  /** Calls that name the leaver, the most of any. */
  ownCalls: number;
}

/** One leaver after the other, idle between them: from the hook received to the removal read back. */
async function measureLeavers(world: World, count: number): Promise<LeaverFigures> {
  const own: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const person = world.hire(`bench${i}`);
    world.okta.setStatus(person.id, 'DEPROVISIONED');
    const before = world.sendgrid.journal.length;
    await world.post(world.event('user.lifecycle.deactivate', person));
    await world.quiet();
    own.push(
      world.sendgrid.journal
        .slice(before)
        .filter((entry) => entry.path.includes(encodeURIComponent(person.email)) || entry.path.includes(person.email))
        .length,
    );
  }
  const { rows } = await world.database.pool.query<{ ms: number }>(
    `select extract(epoch from action.finished_at - inbox.received_at)::float8 * 1000 as ms
     from action join plan on plan.id = action.plan_id join inbox on inbox.id = plan.event_id
     where action.state = 'done' order by 1`,
  );
  const at = (share: number) => rows[Math.min(rows.length - 1, Math.floor(rows.length * share))]?.ms ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), ownCalls: Math.max(...own) };
}

/** A burst in one delivery: how often were the lists read that all of them share? */
async function measureBurst(world: World, count: number): Promise<Record<string, number>> {
  const people = Array.from({ length: count }, (_, i) => world.hire(`burst${i}`));
  for (const { id } of people) world.okta.setStatus(id, 'DEPROVISIONED');
  const before = world.sendgrid.journal.length;
  await world.post(...people.map((person) => world.event('user.lifecycle.deactivate', person)));
  await world.quiet();
  const counts: Record<string, number> = {};
  for (const { endpoint } of world.sendgrid.journal.slice(before)) counts[endpoint] = (counts[endpoint] ?? 0) + 1;
  return counts;
}
