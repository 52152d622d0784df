import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#shared/clock.js';
import type { PlanDraft } from '#shared/lifecycle/types.js';
import type { Surroundings } from '#shared/planning/situation.js';
import { createSendGridClient, type SendGridClient } from '#shared/sendgrid/client.js';
import { createPace } from '#shared/sendgrid/pace.js';
import { ensureAccounts } from '#shared/store/accounts.js';
import { actionItems } from '#shared/store/actions.js';
import { storeOperatorEvent } from '#shared/store/operator-events.js';
import { personFor } from '#shared/store/people.js';
import { storePlan, supersedePlans } from '#shared/store/plans.js';
import { createLog } from '#shared/telemetry/log.js';
import { type SendGridEmulator, startSendGridEmulator } from '#test/emulators/sendgrid/index.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { policy } from '#test/support/situation.js';
import type { WorkContext } from '../context.js';
import { executeAction } from './execute.js';

let database: TestDatabase;
let sendgrid: SendGridEmulator;
let client: SendGridClient;
beforeAll(async () => {
  [database, sendgrid] = await Promise.all([createTestDatabase(), startSendGridEmulator()]);
  sendgrid.addAccount({ name: 'marketing', apiKey: 'SG.marketing' });
  await ensureAccounts(database.db, ['marketing']);
  client = createSendGridClient({
    account: 'marketing',
    apiKey: 'SG.marketing',
    baseUrl: sendgrid.url,
    pace: createPace(database.db),
    onUnauthorized: async () => undefined,
  });
});
afterAll(() => Promise.all([client.close(), database.drop(), sendgrid.close()]));

/** What happens while the worker looks at the teammate. */
let whileLooking: () => Promise<unknown> = async () => undefined;
afterEach(() => {
  whileLooking = async () => undefined;
});

const watched: Pick<SendGridClient, 'call'> = {
  async call(call) {
    const answer = await client.call(call);
    if (call.method === 'GET') await whileLooking();
    return answer;
  },
};

function context(): WorkContext {
  return {
    db: database.db,
    policy: policy(),
    surroundings: null as unknown as Surroundings,
    clients: new Map([['marketing', { ...client, ...watched }]]),
    twilio: null,
    clock: systemClock,
    log: createLog({ level: 'silent', role: 'worker', secrets: [] }),
    owner: 'worker-1',
    nudge: () => undefined,
    scrub: (text) => text,
  };
}

/** A teammate, and a plan to delete them that may go. */
async function planned(name: string): Promise<{ personId: string; planId: string; actionId: string; email: string }> {
  const { db } = database;
  const email = `${name}@acme.com`;
  sendgrid.account('marketing').addTeammate({ email });
  const person = await personFor(db, 'okta', { directoryId: `00u-${name}`, email });
  const target = { account: 'marketing', subuser: null, target: email, email, admin: false, reason: 'they left' };
  const draft: PlanDraft = {
    verdict: 'leaver',
    reasons: ['they left'],
    actions: [{ kind: 'deprovision', footprint: 'teammate', confined: false, ...target }],
    refused: [],
    holds: [],
    unread: [],
    todos: [],
    nextAt: null,
  };
  const planId = await db.transaction().execute(async (tx) =>
    storePlan(tx, {
      personId: person.id,
      eventId: await storeOperatorEvent(tx, { eventId: name, type: 'terminated', email, raw: {} }),
      personVersion: 1,
      evidenceAt: new Date(),
      draft,
      gated: { state: 'applying', passages: ['go'], holds: [] },
      expireMs: 60_000,
    }),
  );
  const [action] = await actionItems(db, [planId]);
  return { personId: person.id, planId, actionId: action?.id ?? '', email };
}

describe('an action', () => {
  it('is done, and read back', async () => {
    const { planId, actionId, email } = await planned('jane');
    await executeAction.run(context(), actionId);
    expect(sendgrid.account('marketing').has(email)).toBe(false);
    expect((await actionItems(database.db, [planId]))[0]).toMatchObject({ state: 'done', attempts: 1 });
  });

  it('whose plan gave way while the worker looked sends nothing: they were hired again', async () => {
    const { personId, planId, actionId, email } = await planned('rhea');
    whileLooking = () => database.db.transaction().execute((tx) => supersedePlans(tx, personId));
    await executeAction.run(context(), actionId);
    expect(sendgrid.account('marketing').has(email)).toBe(true);
    expect((await actionItems(database.db, [planId]))[0]).toMatchObject({ state: 'superseded', attempts: 0 });
    const { rows } = await database.pool.query(
      `select count(*)::int as n from audit_entry where canonical like '%action.attempted%' and canonical like $1`,
      [`%${actionId}%`],
    );
    expect(rows[0].n).toBe(0);
  });
});
