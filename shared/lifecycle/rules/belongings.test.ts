import { describe, expect, it } from 'vitest';
import { account, policy, roster, situation, teammate } from '#test/support/situation.js';
import { type BelongingKind, belongingKinds } from '../belonging.js';
import { plan } from '../plan.js';
import type { Situation, Successor } from '../situation.js';
import type { AccountPolicy, Policy, Roster } from '../types.js';

const kim: Successor = { email: 'kim@acme.com', why: 'kim@acme.com is their manager' };
const nobody: Successor = { email: null, why: 'offboarding.successor is none' };

function belonging(kind: BelongingKind, addresses: string[], more: Partial<Roster['belongings'][number]> = {}) {
  return { kind, id: '5', label: `The ${kind}`, addresses, subuser: null, ...more };
}

interface Case {
  successor?: Successor;
  offboarding?: Partial<Policy['offboarding']>;
  account?: Partial<AccountPolicy>;
  roster?: Partial<Roster>;
  situation?: Partial<Situation>;
}

function planned(belongings: Roster['belongings'], one: Case = {}) {
  const p = policy({
    accounts: [account('marketing', one.account)],
    offboarding: { ...policy().offboarding, ...one.offboarding },
  });
  const s = situation('inactive', [roster('marketing', [], { belongings, ...one.roster })], {
    successor: one.successor ?? kim,
    ...one.situation,
  });
  return plan(s, p);
}
const byHand = 'account e-mail and billing contact';

describe('what carries a leaver’s address', () => {
  it.each(belongingKinds.filter((kind) => kind !== 'address-whitelist'))('%s goes to the successor', (kind) => {
    expect(planned([belonging(kind, ['Jane@ACME.com', 'other@acme.com'])])).toMatchObject({
      actions: [
        {
          kind: 'reassign',
          footprint: kind,
          account: 'marketing',
          subuser: null,
          target: '5',
          label: `The ${kind}`,
          email: 'jane@acme.com',
          from: ['jane@acme.com'],
          to: 'kim@acme.com',
          reason: 'The directory says the person is deactivated; kim@acme.com is their manager',
        },
      ],
      todos: [],
    });
  });

  it('is taken off the allow list, where nobody takes it over', () => {
    for (const successor of [kim, nobody]) {
      const draft = planned([belonging('address-whitelist', ['jane@acme.com'])], { successor });
      expect(draft.actions).toMatchObject([{ footprint: 'address-whitelist', to: null }]);
      expect(draft.todos).toEqual([]);
    }
  });

  it('is left where somebody else’s address is meant', () => {
    const others = ['jane+x@acme.com', 'j.ane@acme.com', 'jane@acme.co', 'acme.com'];
    expect(planned(others.map((one) => belonging('alert', [one]))).actions).toEqual([]);
  });

  it('is found under every address of theirs, what the identity template makes of them included', () => {
    const addresses = ['JD@acme.com', 'jane+mkt@acme.com', 'jane@acme.com', 'jane@acme.com', 'x@acme.com'];
    const draft = planned([belonging('verified-sender', addresses)], {
      account: { identity: '{local}+mkt@{domain}' },
      situation: { person: { id: 'p', directoryId: 'd', emails: ['jane@acme.com', 'jd@acme.com'], links: [] } },
    });
    expect(draft.actions).toMatchObject([{ from: ['jane+mkt@acme.com', 'jane@acme.com', 'jd@acme.com'] }]);
  });

  it('is left alone of a kind that offboarding.reassign does not name', () => {
    const draft = planned([belonging('alert', ['jane@acme.com']), belonging('sender', ['jane@acme.com'])], {
      offboarding: { reassign: ['sender'] },
    });
    expect(draft.actions.map((action) => action.footprint)).toEqual(['sender']);
    expect(draft.todos).toEqual([]);
  });

  it('inside a subuser is told apart from the parent’s', () => {
    const draft = planned([
      belonging('alert', ['jane@acme.com'], { subuser: 'us' }),
      belonging('alert', ['jane@acme.com'], { subuser: 'eu' }),
      belonging('alert', ['jane@acme.com']),
    ]);
    expect(draft.actions.map((action) => action.subuser)).toEqual([null, 'eu', 'us']);
  });

  it('moves after the person’s access is taken in the plan’s order, and while a protected person’s never does', () => {
    const p = policy({ protect: ['jane@acme.com'] });
    const s = situation('inactive', [roster('marketing', [], { belongings: [belonging('alert', ['jane@acme.com'])] })]);
    expect(plan({ ...s, successor: kim }, p)).toMatchObject({ actions: [], refused: [{ rule: 'protected' }] });
  });

  it('is held when an address of theirs is somebody else’s too', () => {
    const draft = planned([belonging('alert', ['jane@acme.com'])], {
      situation: { sharedAddresses: ['jane@acme.com'] },
    });
    expect(draft.holds).toMatchObject([{ rule: 'ambiguous', account: 'marketing', target: '5' }]);
  });

  it('stays with whoever is only restricted, kept or without the app', () => {
    const belongings = [belonging('alert', ['jane@acme.com'])];
    for (const terminated of ['restrict', 'keep'] as const) {
      expect(planned(belongings, { offboarding: { terminated } }).actions).toEqual([]);
    }
    const suspended = situation('suspended', [roster('marketing', [], { belongings })], { successor: kim });
    expect(plan(suspended, policy()).actions).toEqual([]);
  });
});

describe('without a successor', () => {
  it.each(['verified-sender', 'sender', 'legacy-sender', 'alert', 'forward-bounce'] as const)(
    '%s is a task for the operator, with the reason',
    (kind) => {
      const draft = planned([belonging(kind, ['jane@acme.com', 'other@acme.com'])], { successor: nobody });
      expect(draft.actions).toEqual([]);
      expect(draft.todos).toEqual([
        {
          account: 'marketing',
          text: `The ${kind} carries jane@acme.com and nobody takes it over: offboarding.successor is none`,
        },
      ]);
    },
  );

  it('a list of addresses loses theirs and keeps the others', () => {
    const draft = planned([belonging('forward-spam', ['ops@acme.com', 'jane@acme.com'])], { successor: nobody });
    expect(draft.actions).toMatchObject([{ footprint: 'forward-spam', from: ['jane@acme.com'], to: null }]);
    expect(draft.actions[0]?.reason).not.toContain('successor');
    expect(draft.todos).toEqual([]);
  });

  it('a list that would be left empty is a task', () => {
    const draft = planned([belonging('forward-spam', ['jane@acme.com', 'JANE@acme.com'])], { successor: nobody });
    expect(draft.actions).toEqual([]);
    expect(draft.todos).toHaveLength(1);
  });
});

describe('what no API can change', () => {
  const contact = (email: string) => [{ id: 7, name: 'eu', email, teammates: [], invitations: [] }];

  it('is a task wherever the person is found', () => {
    expect(planned([], { roster: { teammates: [teammate('jane@acme.com')] } }).todos).toMatchObject([
      { account: 'marketing', text: expect.stringContaining(byHand) },
    ]);
  });

  it('and none where they are not', () => {
    expect(planned([]).todos).toEqual([]);
    expect(planned([], { roster: { subusers: contact('ops@acme.com') } }).todos).toEqual([]);
  });

  it('a subuser’s contact address is one even where they are not found otherwise', () => {
    expect(planned([], { roster: { subusers: contact('Jane@acme.com') } }).todos).toEqual([
      {
        account: 'marketing',
        text: 'the contact address of subuser eu is theirs: change it in SendGrid’s settings of that subuser',
      },
    ]);
  });
});

it('a leaver is nobody’s successor, least of all their own', () => {
  const draft = planned([belonging('alert', ['jane@acme.com'])], {
    successor: { email: 'Jane@acme.com', why: 'Jane@acme.com is the configured successor' },
  });
  expect(draft.actions).toEqual([]);
  expect(draft.todos).toHaveLength(1);
});
