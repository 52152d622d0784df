import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { plan } from '#shared/lifecycle/plan.js';
import type { PlanDraft, Policy, Roster } from '#shared/lifecycle/types.js';
import { type PersonRow, personById, personFor, rememberLinks } from '#shared/store/people.js';
import { type OktaEmulator, startOktaEmulator } from '#test/emulators/okta/index.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { account, policy, roster, teammate } from '#test/support/situation.js';
import { surroundingsOf } from '#test/support/surroundings.js';
import { readSituation } from './situation.js';

// Whose is it? What the directory gives to somebody else too is held, wherever it was found and however it was matched.

let database: TestDatabase;
let okta: OktaEmulator;
beforeAll(async () => {
  [database, okta] = await Promise.all([createTestDatabase(), startOktaEmulator()]);
});
afterAll(() => Promise.all([database.drop(), okta.close()]));
beforeEach(() => okta.users.clear());

let people = 0;

/** A person of the directory, as Sendoff knows them. */
async function known(email: string, status = 'ACTIVE'): Promise<PersonRow> {
  people += 1;
  const id = `00u-${people}`;
  okta.addUser({ id, email, status });
  return personFor(database.db, 'okta', { directoryId: id, email });
}

async function planned(person: PersonRow, rosters: Roster[], rules: Policy = policy()): Promise<PlanDraft> {
  const since = new Date(0);
  const situation = await readSituation(surroundingsOf(database.db, okta, rules, rosters), {
    person,
    now: new Date(),
    eventType: 'terminated',
    named: true,
    ambiguousAddress: null,
    freshness: { teammatesSince: since, invitationsSince: since, partsSince: since, urgent: false },
    planning: true,
  });
  return plan(situation, rules);
}

const heldTargets = ({ holds }: PlanDraft) => holds.map(({ rule, target }) => [rule, target]);

describe('what the directory gives to another id too', () => {
  it('is held where it was found inside a subuser alone', async () => {
    const jane = await known('jane@acme.com', 'DEPROVISIONED');
    await known('jane@acme.com');
    const inside = { id: 7, name: 'brand', email: 'x@acme.com', teammates: [teammate('jane@acme.com')] };
    const draft = await planned(jane, [roster('marketing', [], { subusers: [{ ...inside, invitations: [] }] })]);
    expect(draft.actions).toHaveLength(1);
    expect(heldTargets(draft)).toEqual([['ambiguous', 'jane@acme.com']]);
  });

  it('is held where only a group was lost', async () => {
    const rules = policy({
      roles: { marketer: { kind: 'persona', persona: 'marketer' } },
      grants: [{ group: 'Marketers', account: 'marketing', role: 'marketer' }],
    });
    const jane = await known('jane@acme.com');
    await database.db.transaction().execute(async (tx) => {
      await rememberLinks(tx, jane.id, [{ account: 'marketing', username: 'jane@acme.com' }]);
    });
    await known('jane@acme.com');
    const draft = await planned(
      await personById(database.db, jane.id),
      [roster('marketing', [teammate('jane@acme.com')])],
      rules,
    );
    expect(draft.verdict).toBe('unassigned');
    expect(heldTargets(draft)).toEqual([['ambiguous', 'jane@acme.com']]);
  });

  it('is held where a tie leads to a name that somebody else bears now', async () => {
    const jane = await known('jane@acme.com', 'DEPROVISIONED');
    await database.db.transaction().execute(async (tx) => {
      await rememberLinks(tx, jane.id, [{ account: 'marketing', username: 'newsletter' }]);
    });
    await known('kim@acme.com');
    const mates = [teammate('kim@acme.com', { username: 'newsletter' })];
    const draft = await planned(await personById(database.db, jane.id), [roster('marketing', mates)]);
    expect(heldTargets(draft)).toEqual([['ambiguous', 'newsletter']]);
    expect(draft.holds[0]?.detail).toContain('somebody else');
  });

  it('is held where one person has it by the account’s template and another as it is', async () => {
    const rules = policy({ accounts: [account('marketing', { identity: '{local}+mkt@{domain}' })] });
    const mates = [teammate('jane+mkt@acme.com')];
    const jane = await known('jane@acme.com', 'DEPROVISIONED');
    expect(heldTargets(await planned(jane, [roster('marketing', mates)], rules))).toEqual([]);
    const other = await known('jane+mkt@acme.com', 'DEPROVISIONED');
    for (const one of [jane, other]) {
      expect(heldTargets(await planned(one, [roster('marketing', mates)], rules))).toEqual([
        ['ambiguous', 'jane+mkt@acme.com'],
      ]);
    }
  });

  it('is held where a sender is all that carries it', async () => {
    const jane = await known('jane@acme.com', 'DEPROVISIONED');
    await known('jane@acme.com');
    const sender = {
      kind: 'sender' as const,
      id: '1',
      label: 'sender Jane',
      addresses: ['jane@acme.com'],
      subuser: null,
    };
    const rules = policy({ offboarding: { ...policy().offboarding, successor: 'kim@acme.com' } });
    const draft = await planned(jane, [roster('marketing', [], { belongings: [sender] })], rules);
    expect(draft.actions.map(({ kind }) => kind)).toEqual(['reassign']);
    expect(heldTargets(draft)).toEqual([['ambiguous', '1']]);
  });
});
