import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '#shared/config/schema.js';
import { openAlerts } from '#shared/store/alerts.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { silent } from '#test/support/silent.js';
import type { WorkContext } from '../context.js';
import { tellAlerts } from './tell-alerts.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => database.pool.query('truncate alert cascade'));

const config = {
  notifications: {},
  sources: { okta: {} },
  accounts: { marketing: {} },
  sla: { deprovision: 900_000 },
} as unknown as Config;

/** What is open after one look at a moment. */
async function openAt(...moments: string[]): Promise<string[]> {
  for (const moment of moments) {
    const clock = { now: () => new Date(moment) };
    const context = { db: database.db, clients: new Map(), clock, log: silent, scrub: (text: string) => text };
    await tellAlerts(context as unknown as WorkContext, config).run();
  }
  return (await openAlerts(database.db)).map(({ key }) => key);
}

describe('the week', () => {
  it.each([
    ['on a Monday before eight', '2026-11-23T07:59:00Z', []],
    ['on a Monday from eight o’clock on', '2026-11-23T08:00:00Z', ['weekly:2026-11-23']],
    ['on another day', '2026-11-24T08:00:00Z', []],
  ])('is told %s', async (_, moment, expected) => {
    expect(await openAt(moment)).toEqual(expected);
  });

  it('is told once, until the next one', async () => {
    expect(await openAt('2026-11-23T08:00:00Z', '2026-11-23T12:00:00Z')).toEqual(['weekly:2026-11-23']);
    expect(await openAt('2026-11-30T09:00:00Z')).toEqual(['weekly:2026-11-30']);
  });
});

describe('what needs somebody', () => {
  it('is seen in the database, and is over when it is', async () => {
    await database.pool.query(`
      insert into account (name, breaker_opened_at, breaker_reason) values ('marketing', now(), '401');
      insert into inbox (source, event_id, raw, state, received_at) values ('okta', 'old', '{}', 'done', now() - interval '8 days');
      insert into inbox (source, event_id, type, person_ref, raw, state, received_at, due_at)
        values ('other', 'late', 'terminated', '{"directoryId":"1","email":"jane@acme.com"}', '{}', 'waiting', now() - interval '10 minutes', now());
      insert into subscription (source, kind, expires_at) values ('okta', 'users', now() + interval '5 minutes')`);
    const kinds = (await openAt('2026-11-24T08:00:00Z')).map((key) => key.split(':')[0]).sort();
    expect(kinds).toEqual(['breaker', 'silent', 'sla-at-risk', 'subscription']);
    await database.pool.query(
      `update inbox set received_at = received_at - interval '10 minutes' where event_id = 'late'`,
    );
    expect((await openAt('2026-11-24T08:01:00Z')).map((key) => key.split(':')[0])).toContain('sla-breached');
    await database.pool.query(
      `update account set breaker_opened_at = null; delete from inbox; delete from subscription`,
    );
    expect(await openAt('2026-11-24T08:02:00Z')).toEqual([]);
  });
});
