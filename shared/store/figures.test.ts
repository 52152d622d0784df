import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signCheckpoint } from '#shared/audit/checkpoint.js';
import { sequenceAudit } from '#shared/audit/sequence.js';
import { generateSigningKey, loadSigningKey } from '#shared/audit/signing-key.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { until } from '#test/support/sendoff.js';
import { ensureAccounts, openBreaker } from './accounts.js';
import { countOutcomes, deprovisionBuckets, readFigures } from './figures.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const query = (text: string, values: unknown[] = []) => database.pool.query(text, values);

/** A settled plan of a leaver whose event came so many seconds before. @returns its id */
async function settledPlan(seconds = 1): Promise<string> {
  const ids = [randomUUID(), randomUUID(), randomUUID()];
  await query(`insert into person (id, directory) values ($1, 'okta')`, [ids[0]]);
  await query(
    `insert into inbox (id, source, event_id, raw, state) values ($1::uuid, 'okta', $1::uuid::text, '', 'done')`,
    [ids[1]],
  );
  await query(
    `insert into plan (id, person_id, event_id, person_version, verdict, reasons, refused, holds, unread, state,
       evidence_at, heard_at, settled_at)
     values ($3, $1, $2, 1, 'leaver', '[]', '[]', '[]', '[]', 'settled', now(), now() - make_interval(secs => $4), now())`,
    [...ids, seconds],
  );
  return ids[2] as string;
}

async function action(account: string, state: string, endedSecondsAgo: number | null): Promise<void> {
  const plan = await settledPlan();
  await query(
    `insert into action (plan_id, person_id, kind, footprint, account, target, draft, state, finished_at)
     select id, person_id, 'deprovision', 'teammate', $2, $1::uuid::text, '{}', $3, now() - make_interval(secs => $4)
     from plan where id = $1::uuid`,
    [plan, account, state, endedSecondsAgo],
  );
}

describe('readFigures', () => {
  it('tells of each configured account its breaker, its tightest window and its longest closure', async () => {
    await ensureAccounts(database.db, ['busy', 'calm', 'removed']);
    await openBreaker(database.db, 'calm', 'refused');
    await query(
      `insert into pace (account, endpoint, quota, remaining, reset_at) values
         ('busy', 'GET /a', 100, 90, now() + interval '30 s'),
         ('busy', 'GET /b', 100, 25, now() + interval '30 s'),
         ('busy', 'GET /c', 100, 0, now() - interval '30 s'),
         ('busy', 'DELETE /unlearned', null, 0, now() + interval '50 s'),
         ('busy', 'GET /counted', null, -7, null)`,
    );
    const { accounts } = await readFigures(database.db, ['busy', 'calm']);
    expect(accounts.map(({ account, breakerOpen, paceLeft }) => ({ account, breakerOpen, paceLeft }))).toEqual([
      { account: 'busy', breakerOpen: false, paceLeft: 0.25 },
      { account: 'calm', breakerOpen: true, paceLeft: 1 },
    ]);
    const [busy, calm] = accounts;
    expect(busy?.closedSeconds).toBeGreaterThan(30);
    expect(busy?.closedSeconds).toBeLessThanOrEqual(50);
    expect(calm?.closedSeconds).toBe(0);
  });

  it('tells the drift of the last comparison that was believed, and of its accounts that are still configured', async () => {
    const run = async (minutesAgo: number, drift: number, problems: string[]) =>
      query(
        `insert into reconcile_run (mode, started_by, finished_at, people, summary)
         values ('cheap', 'test', now() - make_interval(mins => $1), 3, $2)`,
        [
          minutesAgo,
          JSON.stringify({
            unannounced: 0,
            problems,
            accounts: ['busy', 'removed'].map((account) => ({
              account,
              complete: true,
              teammates: 5,
              drift,
              measure: null,
            })),
          }),
        ],
      );
    await run(30, 1, []);
    await run(20, 2, []);
    await run(10, 9, ['the directory lists nobody']);
    const { drift, comparedSecondsAgo } = await readFigures(database.db, ['busy']);
    expect(drift).toEqual([expect.objectContaining({ account: 'busy', drift: 2, complete: true })]);
    expect(comparedSecondsAgo).toBeGreaterThanOrEqual(600);
  });

  it('tells how long the oldest audit record has been neither chained nor signed', async () => {
    const { audit: none } = await readFigures(database.db, []);
    expect(none).toEqual({ unsequenced: 0, unsequencedSeconds: 0, unsignedSeconds: 0 });
    for (const seconds of [300, 100]) {
      const id = randomUUID();
      await query(`insert into audit_entry values ($1, now() - make_interval(secs => $2), '{}')`, [id, seconds]);
      await query(`insert into audit_pending (entry_id) values ($1)`, [id]);
    }
    const { audit: pending } = await readFigures(database.db, []);
    expect(pending).toMatchObject({ unsequenced: 2, unsignedSeconds: 0 });
    expect(pending.unsequencedSeconds).toBeGreaterThanOrEqual(300);
    // A record waits for every transaction that began before its own, those of other databases of the server included.
    const chained = await until('the records are chained', async () => {
      await sequenceAudit(database.db);
      const { audit } = await readFigures(database.db, []);
      return audit.unsequenced === 0 ? audit : null;
    });
    expect(chained.unsequencedSeconds).toBe(0);
    expect(chained.unsignedSeconds).toBeGreaterThanOrEqual(100);
    await signCheckpoint(database.db, loadSigningKey(generateSigningKey()));
    const { audit: signed } = await readFigures(database.db, []);
    expect(signed).toEqual(none);
  });
});

describe('countOutcomes', () => {
  beforeEach(() => query('delete from action'));

  it('counts every end once, however often it is asked, and what becomes visible late', async () => {
    await action('busy', 'done', 3_600);
    await action('busy', 'done', 5);
    await action('busy', 'refused', 5);
    await action('calm', 'failed', 5);
    await action('calm', 'ready', null);
    const count = countOutcomes(database.db);
    const first = [
      { account: 'busy', outcome: 'done', count: 2 },
      { account: 'busy', outcome: 'refused', count: 1 },
    ];
    const byOutcome = async () => (await count()).sort((a, b) => (a.outcome < b.outcome ? -1 : 1));
    expect(await byOutcome()).toEqual(first);
    expect(await byOutcome()).toEqual(first);
    // A transaction that began five minutes ago ends.
    await action('busy', 'refused', 300);
    expect(await byOutcome()).toEqual([first[0], { account: 'busy', outcome: 'refused', count: 2 }]);
  });

  it('asks for the new ones by an index', async () => {
    const client = await database.pool.connect();
    try {
      await client.query('begin');
      await client.query('set local enable_seqscan = off');
      const { rows } = await client.query(
        `explain select account, state, count(*) from action where finished_at > now() group by account, state`,
      );
      expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('action_ended');
    } finally {
      await client.query('rollback');
      client.release();
    }
  });
});

it('deprovisionBuckets: how many took how long, and how long all of them', async () => {
  await query('truncate plan cascade');
  for (const seconds of [3, 4, 70]) await settledPlan(seconds);
  const buckets = await deprovisionBuckets(database.db, [1, 5, 60, 300]);
  expect(buckets.map(({ count }) => count).sort()).toEqual([1, 2]);
  const all = buckets.reduce((sum, { seconds }) => sum + seconds, 0);
  expect(all).toBeGreaterThanOrEqual(77);
  expect(all).toBeLessThan(80);
});
