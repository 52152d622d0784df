import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '#shared/store/database.js';
import { type SendGridEmulator, startSendGridEmulator } from '#test/emulators/sendgrid/index.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { silent } from '#test/support/silent.js';
import { createSendGridClient } from './client.js';
import { SendGridLimited } from './errors.js';
import { createPace } from './pace.js';
import type { Headers } from './rate-limit.js';
import { ownScopes } from './scopes.js';

let database: TestDatabase;
let second: Database;
let emulator: SendGridEmulator;

beforeAll(async () => {
  database = await createTestDatabase();
  second = openDatabase({
    url: database.url,
    max: 4,
    statementTimeoutMs: 5_000,
    applicationName: 'second',
    tls: 'off',
    log: silent,
  });
  emulator = await startSendGridEmulator({ latencyMs: 10 });
});
afterAll(async () => {
  await emulator.close();
  await second.close();
  await database.drop();
});

const endpoint = 'GET /v3/thing';
const told = (quota: number, remaining: number, resetIn: number): Headers => ({
  'x-ratelimit-limit': String(quota),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String(Math.ceil(Date.now() / 1_000) + resetIn),
});
const row = async (account: string) => {
  const { rows } = await database.pool.query(
    'select quota, remaining, extract(epoch from reset_at - now())::float8 as left from pace where account = $1',
    [account],
  );
  return rows[0];
};

describe('pace', () => {
  it('lets calls through while the limit is not known, and counts those under way once it is', async () => {
    const pace = createPace(database.db);
    for (let n = 0; n < 5; n += 1) await pace.acquire('unknown', endpoint);
    await pace.observe('unknown', endpoint, 200, told(10, 9, 30));
    expect(await row('unknown')).toMatchObject({ quota: 10, remaining: 5 });
  });

  it('gives out no more than the window has, then says how long', async () => {
    const pace = createPace(database.db);
    await pace.acquire('full', endpoint);
    await pace.observe('full', endpoint, 200, told(3, 2, 30));
    await pace.acquire('full', endpoint);
    await pace.acquire('full', endpoint);
    const error = await pace.acquire('full', endpoint).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SendGridLimited);
    expect((error as SendGridLimited).delayMs).toBeGreaterThan(28_000);
    expect((error as SendGridLimited).delayMs).toBeLessThan(33_000);
  });

  it('takes the server’s lower count, not its higher one', async () => {
    const pace = createPace(database.db);
    await pace.acquire('counts', endpoint);
    const window = told(10, 9, 30);
    await pace.observe('counts', endpoint, 200, window);
    await pace.acquire('counts', endpoint);
    await pace.observe('counts', endpoint, 200, { ...window, 'x-ratelimit-remaining': '9' });
    expect((await row('counts')).remaining).toBe(8);
    await pace.observe('counts', endpoint, 200, { ...window, 'x-ratelimit-remaining': '3' });
    expect((await row('counts')).remaining).toBe(3);
  });

  it('learns nothing from an answer out of a window that is over', async () => {
    const pace = createPace(database.db);
    await pace.acquire('late', endpoint);
    await pace.observe('late', endpoint, 200, told(10, 9, 30));
    await pace.observe('late', endpoint, 200, told(10, 0, -5));
    expect((await row('late')).remaining).toBe(9);
  });

  it('goes over to a new window when the server has', async () => {
    const pace = createPace(database.db);
    await pace.acquire('next', endpoint);
    await pace.observe('next', endpoint, 200, told(10, 0, 4));
    await pace.observe('next', endpoint, 200, told(10, 9, 60));
    expect((await row('next')).remaining).toBe(9);
  });

  it('closes after a 429 for as long as it says; an answer that was still on its way does not reopen', async () => {
    const pace = createPace(database.db);
    await pace.acquire('closed', endpoint);
    expect(await pace.observe('closed', endpoint, 429, { 'retry-after': '20' })).toBe(20_000);
    await pace.observe('closed', endpoint, 200, told(10, 9, 2));
    await expect(pace.acquire('closed', endpoint)).rejects.toMatchObject({ code: 'SENDGRID_LIMITED' });
    expect((await row('closed')).left).toBeGreaterThan(15);
  });

  it('waits longer each time when 429s don’t say how long', async () => {
    const pace = createPace(database.db);
    await pace.acquire('silent', endpoint);
    const waits = [];
    for (let n = 0; n < 8; n += 1) waits.push(await pace.observe('silent', endpoint, 429, {}));
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    await pace.observe('silent', endpoint, 200, {});
    expect(await pace.observe('silent', endpoint, 429, {})).toBe(1_000);
  });

  it('believes no window longer than five minutes, and no clock that is hours off', async () => {
    const pace = createPace(database.db);
    await pace.acquire('far', endpoint);
    await pace.observe('far', endpoint, 200, told(10, 0, 86_400));
    expect((await row('far')).left).toBeLessThanOrEqual(300);
    await pace.acquire('skewed', endpoint);
    const ahead = { ...told(10, 0, 3_600 + 20), date: new Date(Date.now() + 3_600_000).toUTCString() };
    await pace.observe('skewed', endpoint, 200, ahead);
    expect((await row('skewed')).left).toBeGreaterThan(15);
    expect((await row('skewed')).left).toBeLessThan(25);
  });

  it('one endpoint’s limit holds up no other, nor another account', async () => {
    const pace = createPace(database.db);
    await pace.acquire('one', endpoint);
    await pace.observe('one', endpoint, 429, { 'retry-after': '60' });
    await pace.acquire('one', 'GET /v3/other');
    await pace.acquire('two', endpoint);
  });

  it('two processes together stay inside the server’s limit and use it up', async () => {
    const limit = 20;
    emulator.addAccount({ name: 'shared', apiKey: 'SG.shared', rateLimit: { limit, windowSeconds: 2 } });
    const clients = [database.db, second.db].map((db) =>
      createSendGridClient({
        account: 'shared',
        apiKey: 'SG.shared',
        baseUrl: emulator.url,
        pace: createPace(db),
        onUnauthorized: async () => undefined,
      }),
    );
    const begun = Date.now();
    let left = 70;
    const work = async (client: (typeof clients)[number]) => {
      while (left > 0) {
        left -= 1;
        await ownScopes(client).catch(async (error: unknown) => {
          if (!(error instanceof SendGridLimited)) throw error;
          left += 1;
          await sleep(error.delayMs);
        });
      }
    };
    await Promise.all(clients.flatMap((client) => Array.from({ length: 6 }, () => work(client))));
    const answers = emulator.journal.filter((entry) => entry.account === 'shared');
    expect(answers.filter((entry) => entry.status === 429)).toEqual([]);
    expect(answers.length).toBeGreaterThanOrEqual(70);
    // Four windows of up to three seconds, of which the last need not end; jitter adds up to half a second to each.
    expect(Date.now() - begun).toBeLessThan(11_500);
    await Promise.all(clients.map((client) => client.close()));
  });
});
