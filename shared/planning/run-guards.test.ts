import { afterAll, beforeAll, expect, it } from 'vitest';
import { plan } from '#shared/lifecycle/plan.js';
import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import { storePage } from '#shared/store/intake.js';
import { addTasks, claimTasks } from '#shared/store/source-tasks.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { invitation, policy, roster, situation, teammate } from '#test/support/situation.js';
import { catchUpGuards } from './run-guards.js';

const log = { source: 'okta', task: 'system-log' };
const names = ['jane', 'kim', 'lea', 'mia'];
const left = (name: string, type: 'terminated' | 'moved' = 'terminated'): NormalizedEntry => ({
  eventId: `${type} ${name}`,
  occurredAt: null,
  raw: '{}',
  outcome: 'event',
  type,
  senderType: type,
  person: { directoryId: `00u-${name}`, email: `${name}@acme.com` },
});
const here = roster(
  'marketing',
  names.slice(0, 3).map((name) => teammate(`${name}@acme.com`)),
  { invitations: [invitation('Mia@acme.com')] },
);
const leaving = plan(situation('inactive', [here]), policy());

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await addTasks(database.db, [log]);
});
afterAll(() => database.drop());

/** What one page of a catch-up brought. @returns its run */
async function page(...entries: NormalizedEntry[]): Promise<string> {
  await database.pool.query('update source_task set lease_until = null, due_at = now()');
  const [claimed] = await claimTasks(database.db, [log]);
  if (claimed === undefined) throw new Error('there is nothing to claim');
  await storePage(database.db, claimed, entries, 'there');
  const { rows } = await database.pool.query('select run from inbox order by seq desc limit 1');
  return rows[0].run;
}
const details = async (run: string | null, rosters = [here]) =>
  (await catchUpGuards(database.db, run, leaving, rosters, policy())).map(({ rule, detail }) => `${rule}: ${detail}`);

it('holds a page that says of more people than may go that they left', async () => {
  const run = await page(...names.map((name) => left(name)));
  expect(await details(run)).toEqual([
    'run-limit: this catch-up alone would take access from 4 people; limits.removals allows 3',
  ]);
});

it('counts who is there, each person once, and who is said to leave', async () => {
  const run = await page(left('jane'), left('somebody'), left('else'), left('kim', 'moved'), left('mia', 'moved'));
  expect(await details(run)).toEqual([]);
  expect(await details(null)).toEqual([]);
});
