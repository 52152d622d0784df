import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finishEvent } from '#shared/store/inbox.js';
import { storeOperatorEvent } from '#shared/store/operator-events.js';
import { personFor } from '#shared/store/people.js';
import { storePlan } from '#shared/store/plans.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import type { DatabaseSession } from './database.js';
import { inDatabase } from './reach/orders.js';
import { waitForPlan } from './wait-for-plan.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('sendoff offboard --wait', () => {
  it('takes no plan from before the order for its outcome', async () => {
    const { db } = database;
    const email = 'jane@acme.com';
    const person = await personFor(db, 'okta', { directoryId: null, email });
    const order = (eventId: string) =>
      db.transaction().execute((tx) => storeOperatorEvent(tx, { eventId, type: 'terminated', email, raw: {} }));
    const first = await order('first');
    await db.transaction().execute((tx) =>
      storePlan(tx, {
        personId: person.id,
        eventId: first,
        personVersion: 1,
        evidenceAt: new Date(),
        draft: {
          verdict: 'keep',
          reasons: [],
          actions: [],
          refused: [],
          holds: [],
          unread: [],
          todos: [],
          nextAt: null,
        },
        gated: { state: 'settled', passages: [], holds: [] },
        expireMs: 60_000,
      }),
    );
    // Decided by somebody who began to read later, and has not stored their plan yet.
    const second = await order('second');
    await db.updateTable('inbox').set({ person_id: person.id }).where('id', '=', second).execute();
    await db.transaction().execute((tx) => finishEvent(tx, second, 'decided by a later event of the same person'));
    const orders = inDatabase({ db, config: () => ({}) } as DatabaseSession);
    await expect(waitForPlan(orders, second, 1)).rejects.toMatchObject({ code: 'NO_WORKER' });
  });
});
