import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureAccounts } from '#shared/store/accounts.js';
import { inboxEvent } from '#shared/store/inbox.js';
import { storeOperatorEvent } from '#shared/store/operator-events.js';
import { personById, personFor } from '#shared/store/people.js';
import { showPlan } from '#shared/store/plans.js';
import { type OktaEmulator, startOktaEmulator } from '#test/emulators/okta/index.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { account, admin, policy, roster, teammate } from '#test/support/situation.js';
import { surroundingsOf } from '#test/support/surroundings.js';
import { answerPlan } from './answer-plan.js';
import { planPersonFor } from './plan-person.js';

let database: TestDatabase;
let okta: OktaEmulator;
beforeAll(async () => {
  [database, okta] = await Promise.all([createTestDatabase(), startOktaEmulator()]);
  await ensureAccounts(database.db, ['marketing']);
});
afterAll(() => Promise.all([database.drop(), okta.close()]));

const rules = policy({ accounts: [account('marketing', { mode: 'approve' })] });

/** Plans a person of the directory from this roster. */
async function planned(name: string, teammates = [teammate(`${name}@acme.com`)]) {
  const { db } = database;
  const email = `${name}@acme.com`;
  const person = await personFor(db, 'okta', { directoryId: `00u-${name}`, email });
  const eventId = `${name}-${Math.random()}`;
  const id = await db
    .transaction()
    .execute((tx) => storeOperatorEvent(tx, { eventId, type: 'terminated', email, raw: { by: 'operator:ben' } }));
  const event = await inboxEvent(db, id);
  if (event === null) throw new Error('the event was not stored');
  const known = { person: await personById(db, person.id), ambiguousAddress: null, named: true };
  const made = await planPersonFor(surroundingsOf(db, okta, rules, [roster('marketing', teammates)]), event, known);
  const plan = made === null ? null : await showPlan(db, made.planId);
  if (plan === null) throw new Error('nothing was planned');
  return plan;
}

const approve = (plan: Awaited<ReturnType<typeof planned>>) =>
  answerPlan(database.db, rules, {
    planId: plan.id,
    setHash: plan.hold?.setHash ?? '',
    answer: 'approved',
    by: 'operator:ann',
    reason: null,
  });

describe('an approval', () => {
  it('stands when the same is planned again with the same doubts', async () => {
    okta.addUser({ id: '00u-jane', email: 'jane@acme.com', status: 'DEPROVISIONED' });
    await approve(await planned('jane'));
    expect(await planned('jane')).toMatchObject({ state: 'applying', actions: [{ state: 'ready' }] });
  });

  it('does not stand once it is doubtful whose the teammate is: nobody was shown that', async () => {
    okta.addUser({ id: '00u-kim', email: 'kim@acme.com', status: 'DEPROVISIONED' });
    await approve(await planned('kim'));
    okta.addUser({ id: '00u-kim-2', email: 'kim@acme.com' });
    const again = await planned('kim');
    expect(again).toMatchObject({ state: 'held', actions: [{ state: 'waiting' }] });
    await approve(again);
    expect(await planned('kim')).toMatchObject({ state: 'applying' });
  });

  it('does not stand once too few admins would be left: nobody was shown that', async () => {
    okta.addUser({ id: '00u-boss', email: 'boss@acme.com', status: 'DEPROVISIONED' });
    await approve(await planned('boss', [admin('boss@acme.com'), admin('second@acme.com'), admin('third@acme.com')]));
    expect(await planned('boss', [admin('boss@acme.com')])).toMatchObject({
      state: 'held',
      hold: { reasons: expect.arrayContaining([expect.stringContaining('last-admin')]) },
    });
  });
});
