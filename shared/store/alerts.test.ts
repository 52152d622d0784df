import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Alert } from '#shared/alerts/alert.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { keepAlerts, markTold, markUntold, openAlerts, putWeekly, readAlertFacts, takeUntold } from './alerts.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => database.pool.query('truncate alert, alert_channel cascade'));

const hold: Alert = { key: 'hold:1', kind: 'hold', title: 'one', remedy: 'look' };
const broken: Alert = { key: 'breaker:m', kind: 'breaker', title: 'key', remedy: 'mend' };
const keep = (...alerts: Alert[]) => keepAlerts(database.db, alerts);
const open = async () => (await openAlerts(database.db)).map(({ key }) => key).sort();
const take = async (digestMs = 0) => takeUntold(database.db, 'slack', ['hold', 'weekly'], digestMs);
const keys = (alerts: Alert[]) => alerts.map(({ key }) => key);

describe('what is so', () => {
  it('is open for as long as it is so', async () => {
    await keep(hold, broken);
    expect(await open()).toEqual(['breaker:m', 'hold:1']);
    await keep(broken);
    expect(await open()).toEqual(['breaker:m']);
  });

  it('is read from an empty database as nothing', async () => {
    const facts = await readAlertFacts(database.db, { sources: ['okta'], accounts: ['m'] });
    expect(Object.values(facts).flat()).toEqual([]);
  });
});

describe('a channel', () => {
  it('is told each thing once, and only of the kinds it wants', async () => {
    await keep(hold, broken);
    const untold = await take();
    expect(keys(untold)).toEqual(['hold:1']);
    await markTold(database.db, 'slack', untold);
    await keep(hold, broken);
    expect(await take()).toEqual([]);
  });

  it('is told again of what ended and began anew', async () => {
    await keep(hold);
    await markTold(database.db, 'slack', await take());
    await keep();
    await keep(hold);
    expect(keys(await take())).toEqual(['hold:1']);
  });

  it('is told by one worker at a time', async () => {
    await keep(hold);
    const [a, b] = await Promise.all([take(), take()]);
    expect([...a, ...b]).toHaveLength(1);
  });

  it('gets what came meanwhile in the next message', async () => {
    await keep(hold);
    await markTold(database.db, 'slack', await take(60_000));
    await keep(hold, { ...hold, key: 'hold:2' }, { ...hold, key: 'hold:3' });
    expect(await take(60_000)).toEqual([]);
    await database.pool.query(`update alert_channel set sent_at = sent_at - interval '61 s'`);
    expect(keys(await take(60_000)).sort()).toEqual(['hold:2', 'hold:3']);
  });

  it('that could not be told is told later', async () => {
    await keep(hold);
    await take();
    await markUntold(database.db, 'slack', 'it is down');
    expect(await take()).toEqual([]);
    await database.pool.query(`update alert_channel set sending_until = now() - interval '1 s'`);
    expect(keys(await take())).toEqual(['hold:1']);
  });

  it('gets the week once', async () => {
    for (const week of ['2026-11-16', '2026-11-23', '2026-11-23']) await putWeekly(database.db, week, week);
    await keep();
    const untold = await take();
    expect(keys(untold)).toEqual(['weekly:2026-11-23']);
    await markTold(database.db, 'slack', untold);
    await putWeekly(database.db, '2026-11-23', 'again');
    expect(await take()).toEqual([]);
  });
});
