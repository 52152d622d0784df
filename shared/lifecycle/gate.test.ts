import { describe, expect, it } from 'vitest';
import {
  account,
  admin,
  directoryPerson,
  invitation,
  policy,
  roster,
  situation,
  teammate,
} from '#test/support/situation.js';
import { type GateFacts, gate, release, removalCap } from './gate.js';
import { plan } from './plan.js';
import type { Access, PlanDraft, Policy } from './types.js';
import { twilioAccount } from './types.js';

const draftFor = (p = policy(), mate = teammate('jane@acme.com')) =>
  plan(
    situation(
      'inactive',
      p.accounts.map(({ name }) => roster(name, [mate])),
    ),
    p,
  );
const nobody: GateFacts = { admins: [], removals: [], run: [] };
const admins = (present: string[], leaving: string[] = []): GateFacts => ({
  ...nobody,
  admins: [{ account: 'marketing', present, leaving }],
});

describe('shared/lifecycle/gate', () => {
  it('lets a plan go in an account that enforces', () => {
    expect(gate(draftFor(), policy(), nobody)).toMatchObject({ state: 'applying', passages: ['go'], holds: [] });
  });

  it('only reports in an account that observes', () => {
    const p = policy({ accounts: [account('marketing', { mode: 'observe' })] });
    expect(gate(draftFor(p), p, nobody)).toMatchObject({ state: 'planned', passages: ['observe'] });
  });

  it('holds in an account that asks for approval, and lets the others go', () => {
    const p = policy({ accounts: [account('careful', { mode: 'approve' }), account('marketing')] });
    const gated = gate(draftFor(p), p, nobody);
    expect(gated).toMatchObject({ state: 'held', passages: ['hold', 'go'] });
    expect(gated.holds.map((hold) => hold.rule)).toEqual(['mode-approve']);
  });

  it('leaves an account alone that left the configuration', () => {
    expect(gate(draftFor(), policy({ accounts: [] }), nobody).passages).toEqual(['observe']);
  });

  it('settles at once when there is nothing to do', () => {
    const draft = plan(situation('inactive', [roster('marketing', [])]), policy());
    expect(gate(draft, policy(), nobody).state).toBe('settled');
  });

  it('waits when nothing was found but an account could not be read', () => {
    const draft = plan(
      situation('inactive', [], {
        unread: [{ account: 'marketing', part: null, reason: 'HTTP 500', retryMs: 30_000 }],
      }),
      policy(),
    );
    expect(gate(draft, policy(), nobody).state).toBe('waiting');
  });

  it('is held when all that was found may never be touched', () => {
    const p = policy({ protect: ['jane@acme.com'] });
    expect(gate(draftFor(p), p, nobody).state).toBe('held');
  });

  describe('the last admins', () => {
    const leaver = admin('jane@acme.com');

    it.each([
      ['two others remain', ['jane@acme.com', 'acme-owner', 'kim'], [], 'go'],
      ['only one other remains', ['jane@acme.com', 'acme-owner'], [], 'hold'],
      ['another plan takes one of the two', ['jane@acme.com', 'acme-owner', 'kim'], ['kim'], 'hold'],
      ['the roster tells nobody', [], [], 'hold'],
    ])('%s', (_, present, leaving, expected) => {
      expect(gate(draftFor(policy(), leaver), policy(), admins(present, leaving)).passages).toEqual([expected]);
    });

    it('do not stand in the way of a teammate without full access', () => {
      expect(gate(draftFor(), policy(), admins(['acme-owner'])).passages).toEqual(['go']);
    });

    it('block only the admin’s own footprint', () => {
      const draft = plan(
        situation('inactive', [roster('marketing', [leaver, teammate('jd@acme.com')])], {
          person: { id: 'p', directoryId: 'd', emails: ['jane@acme.com', 'jd@acme.com'], links: [] },
        }),
        policy(),
      );
      expect(gate(draft, policy(), admins(['jane@acme.com', 'acme-owner'])).passages).toEqual(['hold', 'go']);
    });
  });

  describe('the last admins and a new role', () => {
    const before = admin('jane@acme.com');
    const mover = (role: Policy['roles'][string], now: Partial<Access> = {}) => {
      const p = policy({ roles: { r: role }, grants: [{ group: 'G', account: 'marketing', role: 'r' }] });
      const found = { ...directoryPerson('active'), groups: ['G'] };
      const access: Access = { admin: true, scopes: [], subusers: null, ...now };
      const s = situation('active', [roster('marketing', [before])], {
        evidence: { kind: 'found', person: found },
        known: [{ account: 'marketing', subuser: null, username: 'jane@acme.com', access }],
      });
      return gate(plan(s, p), p, admins(['acme-owner', 'jane@acme.com']));
    };

    it('who would lose full access by it is held like a leaver', () => {
      const gated = mover({ kind: 'scopes', scopes: ['stats.read'] });
      expect(gated).toMatchObject({ state: 'held', passages: ['hold'], holds: [{ rule: 'last-admin' }] });
    });

    it('who keeps full access has nothing to be held for', () => {
      expect(mover({ kind: 'admin' })).toMatchObject({ state: 'settled', holds: [] });
      // The list still shows full access that was just taken by hand: it is given back.
      expect(mover({ kind: 'admin' }, { admin: false })).toMatchObject({ state: 'applying', holds: [] });
    });

    it('full access to one subuser is none to the account', () => {
      const subusers = [{ id: 7, name: 'eu', email: '', teammates: [before], invitations: [] }];
      const draft = plan(situation('inactive', [roster('marketing', [], { subusers })]), policy());
      expect(gate(draft, policy(), admins(['acme-owner'])).passages).toEqual(['go']);
    });
  });

  describe('the removal limit', () => {
    const limited = (removals: Partial<Policy['limits']['removals']>) =>
      policy({
        limits: {
          ...policy().limits,
          removals: { floor: 0, share: 0, max: 1_000, windowMs: 86_400_000, ...removals },
        },
      });

    it.each([
      ['the share of the teammates', { share: 0.05 }, 60, 3],
      ['rounded down', { share: 0.05 }, 79, 3],
      ['whatever binary fractions make of it', { share: 0.29 }, 100, 29],
      ['at least the floor', { share: 0.05, floor: 3 }, 10, 3],
      ['never more than max', { share: 0.05, floor: 3, max: 20 }, 10_000, 20],
      ['and max stands above the floor', { floor: 30, max: 20 }, 10, 20],
      ['nobody at all, where all of them are 0', {}, 1_000, 0],
    ])('is %s', (_, removals, teammates, cap) => {
      expect(removalCap(limited(removals), teammates)).toBe(cap);
    });

    const state = (people: number, draft = draftFor()) => {
      const facts = { ...nobody, removals: [{ account: 'marketing', people, teammates: 60 }] };
      return gate(draft, limited({ share: 0.05 }), facts);
    };

    it('counts this person too: the third of three goes, the fourth waits', () => {
      expect([0, 1, 2, 3, 4].map((people) => state(people).passages)).toEqual([
        ['go'],
        ['go'],
        ['go'],
        ['hold'],
        ['hold'],
      ]);
      expect(state(3).holds).toEqual([
        {
          rule: 'removal-limit',
          account: 'marketing',
          target: null,
          detail: '3 people lost access here within 24 h and limits.removals allows 3 (60 teammates)',
        },
      ]);
    });

    it('counts people and not footprints', () => {
      const many = plan(
        situation('inactive', [
          roster('marketing', [teammate('jane@acme.com')], { invitations: [invitation('jane@acme.com')] }),
        ]),
        policy(),
      );
      expect(state(2, many).passages).toEqual(['go', 'go']);
    });

    it('counts who is restricted, and nobody whose request is denied or whose name changes', () => {
      const restricted = plan(situation('suspended', [roster('marketing', [teammate('jane@acme.com')])]), policy());
      expect(state(3, restricted).passages).toEqual(['hold']);
      const request = { id: '1', username: 'j', email: 'jane@acme.com', scopeGroup: 'Mail' };
      const denied = plan(situation('inactive', [roster('marketing', [], { accessRequests: [request] })]), policy());
      expect(state(3, denied).passages).toEqual(['go']);
      const mate = teammate('jane@acme.com', { firstName: 'Unknown' });
      const renamed = plan(situation('active', [roster('marketing', [mate])]), policy());
      expect(state(3, renamed).passages).toEqual(['go']);
    });

    it('holds only the account that it is about', () => {
      const p = policy({ accounts: [account('a'), account('b')] });
      const facts = { ...nobody, removals: [{ account: 'b', people: 20, teammates: 60 }] };
      expect(gate(draftFor(p), p, facts).passages).toEqual(['go', 'hold']);
    });
  });

  describe('a whole run that is held', () => {
    const run = [{ rule: 'run-limit' as const, account: 'marketing', target: null, detail: 'half of them at once' }];

    it('holds its removals in that account', () => {
      const p = policy({ accounts: [account('marketing'), account('other')] });
      const gated = gate(draftFor(p), p, { ...nobody, run });
      expect(gated).toMatchObject({ state: 'held', passages: ['hold', 'go'], holds: run });
    });

    it('and nothing that removes nobody', () => {
      const mate = teammate('jane@acme.com', { lastName: 'Smith' });
      const renamed = plan(situation('active', [roster('marketing', [mate])]), policy());
      expect(gate(renamed, policy(), { ...nobody, run })).toMatchObject({ passages: ['go'], holds: [] });
    });
  });

  describe('after an approval', () => {
    const p = policy({ accounts: [account('careful', { mode: 'approve' }), account('watched', { mode: 'observe' })] });
    const draft = draftFor(p);

    it('what was held goes, what is only watched does not, and the reasons stay', () => {
      const held = gate(draft, p, nobody);
      expect(held).toMatchObject({ state: 'held', passages: ['hold', 'observe'] });
      expect(release(held, draft)).toEqual({ state: 'applying', passages: ['go', 'observe'], holds: held.holds });
    });

    it('a refusal is still one', () => {
      const refused = draftFor(policy({ protect: ['jane@acme.com'] }));
      expect(release(gate(refused, policy(), nobody), refused).state).toBe('held');
    });
  });

  describe('what is left for later', () => {
    const leaver = (more: Partial<PlanDraft>): PlanDraft => ({
      ...plan(situation('inactive', [roster('marketing', [])]), policy()),
      ...more,
    });

    it('a grace period is waited for', () => {
      expect(gate(leaver({ nextAt: new Date(0) }), policy(), nobody).state).toBe('waiting');
    });

    it('what SendGrid refuses for good is not waited for', () => {
      const unread = [{ account: 'marketing', part: 'subuser eu', reason: 'HTTP 403', retryMs: null }];
      expect(gate(leaver({ unread }), policy(), nobody).state).toBe('settled');
    });
  });

  describe('the Twilio user', () => {
    const twilio = { id: 'US1', userName: 'jane@acme.com', active: true };

    it.each([
      ['observe', 'planned', 'observe'],
      ['approve', 'held', 'hold'],
      ['enforce', 'applying', 'go'],
    ] as const)('follows the mode of its target: %s', (mode, state, passage) => {
      const p = policy({ accounts: [], twilio: { mode } });
      const gated = gate(plan(situation('inactive', [], { twilio }), p), p, nobody);
      expect(gated).toMatchObject({ state, passages: [passage] });
    });

    it('is left alone once Twilio is no target any more', () => {
      const draft = plan(situation('inactive', [], { twilio }), policy({ twilio: { mode: 'enforce' } }));
      expect(draft.actions.map((action) => action.account)).toEqual([twilioAccount]);
      expect(gate(draft, policy(), nobody).passages).toEqual(['observe']);
    });
  });
});
