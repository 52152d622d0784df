import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { storePage } from './intake.js';
import { addTasks, type ClaimedTask, claimTasks, failTask, finishTask, taskStates, wakeTasks } from './source-tasks.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const log = { source: 'okta', task: 'system-log' };

beforeEach(async () => {
  await database.pool.query('truncate source_task, inbox cascade');
  await addTasks(database.db, [log]);
});

async function claim(): Promise<ClaimedTask> {
  const [claimed] = await claimTasks(database.db, [log]);
  if (claimed === undefined) throw new Error('there is nothing to claim');
  return claimed;
}
const leaseRunsOut = () => database.pool.query(`update source_task set lease_until = now() - interval '1 s'`);
const entry = (eventId: string): NormalizedEntry => ({
  eventId,
  occurredAt: null,
  raw: '{}',
  outcome: 'event',
  type: 'terminated',
  senderType: 'gone',
  person: { directoryId: eventId, email: null },
});
const inbox = async () => (await database.pool.query('select event_id from inbox order by seq')).rows;

it('a new task is due at once, taken by one, and has no cursor', async () => {
  const [first, second] = await Promise.all([claimTasks(database.db, [log]), claimTasks(database.db, [log])]);
  expect([...first, ...second]).toEqual([expect.objectContaining({ ...log, cursor: null, failures: 0 })]);
});

it('of other sources nothing is taken', async () => {
  expect(await claimTasks(database.db, [{ source: 'other', task: 'system-log' }])).toEqual([]);
});

it('a page and the place behind it are stored together, and the next one goes on from there', async () => {
  const claimed = await claim();
  expect(await storePage(database.db, claimed, [entry('a'), entry('b')], 'after-b')).toEqual({
    stored: 2,
    duplicates: 0,
  });
  await finishTask(database.db, claimed, 0);
  expect((await claim()).cursor).toBe('after-b');
});

it('whoever lost the task to another stores nothing', async () => {
  const slow = await claim();
  await leaseRunsOut();
  await storePage(database.db, await claim(), [entry('a')], 'after-a');
  expect(await storePage(database.db, slow, [entry('z')], 'before-a')).toBeNull();
  await finishTask(database.db, slow, 0);
  expect(await inbox()).toEqual([{ event_id: 'a' }]);
  await leaseRunsOut();
  expect((await claim()).cursor).toBe('after-a');
});

it('a time that no calendar of the database has does not hold up its page', async () => {
  const claimed = await claim();
  const times = [Number.NaN, -8.64e15, 8.64e15].map((time) => new Date(time));
  const entries = times.map((occurredAt, i) => ({ ...entry(`e${i}`), occurredAt }));
  expect(await storePage(database.db, claimed, entries, 'there')).toEqual({ stored: 3, duplicates: 0 });
});

it('a page that the database refuses moves no cursor', async () => {
  const claimed = await claim();
  await database.pool.query('alter table inbox rename to away');
  await expect(storePage(database.db, claimed, [entry('a')], 'after-a')).rejects.toThrow();
  await database.pool.query('alter table away rename to inbox');
  await finishTask(database.db, claimed, 0);
  expect((await claim()).cursor).toBeNull();
});

it('is not due again before its time, unless somebody asks', async () => {
  await finishTask(database.db, await claim(), 60_000);
  expect(await claimTasks(database.db, [log])).toEqual([]);
  await wakeTasks(database.db, 'okta', ['system-log']);
  expect(await claimTasks(database.db, [log])).toHaveLength(1);
});

it('one that failed, or was asked to wait, is not asked sooner because somebody wakes it', async () => {
  await failTask(database.db, await claim(), { delayMs: 60_000, error: '429', lost: false });
  await wakeTasks(database.db, 'okta', ['system-log']);
  expect(await claimTasks(database.db, [log])).toEqual([]);
});

it('who asks while it runs is answered by one more run', async () => {
  const claimed = await claim();
  await wakeTasks(database.db, 'okta', ['system-log']);
  await finishTask(database.db, claimed, 60_000);
  expect(await claimTasks(database.db, [log])).toHaveLength(1);
});

it('a failure keeps the cursor and is told; one that lost it begins anew', async () => {
  const claimed = await claim();
  await storePage(database.db, claimed, [], 'here');
  await failTask(database.db, claimed, { delayMs: 0, error: 'it is down', lost: false });
  expect(await taskStates(database.db)).toEqual([{ ...log, lastOkAt: null, lastError: 'it is down', failures: 1 }]);
  const again = await claim();
  expect(again).toMatchObject({ cursor: 'here', failures: 1 });
  await failTask(database.db, again, { delayMs: 0, error: 'unknown cursor', lost: true });
  expect((await claim()).cursor).toBeNull();
});
