import { describe, expect, it } from 'vitest';
import { account, directoryPerson, invitation, policy, roster, situation, teammate } from '#test/support/situation.js';
import { plan } from '../plan.js';
import type { Situation } from '../situation.js';
import type { DirectoryPerson, Policy } from '../types.js';

const jane = teammate('jane@acme.com');
const hour = 3_600_000;
const now = new Date('2026-11-25T12:00:00Z');
const offboarding = (more: Partial<Policy['offboarding']>) => ({ ...policy().offboarding, ...more });
const kinds = (s: Situation, p: Policy) => plan(s, p).actions.map((action) => `${action.account} ${action.kind}`);

describe('the grace period', () => {
  const patient = policy({ offboarding: offboarding({ graceMs: 72 * hour }) });
  const leaver = (more: Partial<Situation> = {}) => situation('inactive', [roster('marketing', [jane])], more);

  it('restricts first, and says when the deletion follows', () => {
    const draft = plan(leaver(), patient);
    expect(draft.actions.map((action) => action.kind)).toEqual(['restrict']);
    expect(draft.nextAt).toEqual(new Date('2026-11-28T12:00:00Z'));
    expect(draft.reasons).toContain('In marketing: restricted first, deleted after 2026-11-28T12:00:00.000Z');
  });

  it('counts from when they began to leave, not from the latest look', () => {
    const leavingSince = new Date(now.getTime() - 24 * hour);
    expect(plan(leaver({ leavingSince }), patient).nextAt).toEqual(new Date('2026-11-27T12:00:00Z'));
  });

  it.each([
    ['a millisecond before its end', 1, 'restrict'],
    ['at its end', 0, 'deprovision'],
    ['long after it', -hour, 'deprovision'],
  ])('%s', (_, left, kind) => {
    const leavingSince = new Date(now.getTime() - 72 * hour + left);
    const draft = plan(leaver({ leavingSince }), patient);
    expect(draft.actions.map((action) => action.kind)).toEqual([kind]);
    expect(draft.nextAt === null).toBe(kind === 'deprovision');
  });

  it('withdraws invitations at once: nothing of them could be restricted', () => {
    const invitations = [invitation('jane@acme.com')];
    const s = situation('inactive', [roster('marketing', [], { invitations })]);
    expect(plan(s, patient).actions).toMatchObject([{ kind: 'deprovision', footprint: 'invitation' }]);
  });

  it('is waited for by nobody who is not there', () => {
    const draft = plan(situation('inactive', [roster('marketing', [])]), patient);
    expect(draft).toMatchObject({ nextAt: null, actions: [] });
  });

  it('keeps waiting once they are restricted', () => {
    const access = { admin: false, scopes: ['user.profile.read'], subusers: null };
    const known = [{ account: 'marketing', subuser: null, username: 'jane@acme.com', access }];
    const draft = plan(leaver({ known }), patient);
    expect(draft.actions).toEqual([]);
    expect(draft.nextAt).toEqual(new Date('2026-11-28T12:00:00Z'));
  });

  it('lets go what they owned at the beginning: the mail of the address may end any day', () => {
    const belongings = [
      { kind: 'alert' as const, id: '5', label: 'Alert', addresses: ['jane@acme.com'], subuser: null },
    ];
    const s = situation('inactive', [roster('marketing', [jane], { belongings })], {
      successor: { email: 'kim@acme.com', why: 'kim@acme.com is their manager' },
    });
    expect(kinds(s, patient)).toEqual(['marketing restrict', 'marketing reassign']);
  });

  it('delays no restriction, and no deletion of a suspended person that the policy wants at once', () => {
    const p = policy({ offboarding: offboarding({ graceMs: hour, terminated: 'restrict' }) });
    expect(plan(leaver(), p)).toMatchObject({ nextAt: null, actions: [{ kind: 'restrict' }] });
    const q = policy({ offboarding: offboarding({ graceMs: hour, suspended: 'delete' }) });
    expect(plan(situation('suspended', [roster('marketing', [jane])]), q)).toMatchObject({
      nextAt: null,
      actions: [{ kind: 'deprovision' }],
    });
  });

  it('is given to whoever loses the app as well', () => {
    const evidence = { kind: 'found' as const, person: directoryPerson('active', { assigned: false }) };
    const draft = plan(leaver({ evidence, eventType: 'unassigned' }), patient);
    expect(draft.actions.map((action) => action.kind)).toEqual(['restrict']);
    expect(draft.nextAt).not.toBeNull();
  });

  it('is the same in every account, whoever is there', () => {
    const p = policy({ accounts: [account('a'), account('b')], offboarding: offboarding({ graceMs: hour }) });
    const s = situation('inactive', [roster('a', [jane]), roster('b', [])]);
    expect(plan(s, p).nextAt).toEqual(new Date(now.getTime() + hour));
  });
});

describe('what the groups grant, account by account', () => {
  const p = policy({
    accounts: [account('a'), account('b'), account('free')],
    roles: { r: { kind: 'scopes', scopes: ['stats.read'] } },
    grants: [
      { group: 'A', account: 'a', role: 'r' },
      { group: 'B', account: 'b', role: 'r' },
    ],
  });
  const rosters = () => [roster('a', [jane]), roster('b', [jane]), roster('free', [jane])];
  const member = (groups: string[], more: Partial<Situation> = {}, person: Partial<DirectoryPerson> = {}) =>
    situation('active', rosters(), {
      evidence: { kind: 'found', person: directoryPerson('active', { groups, ...person }) },
      eventType: 'moved',
      ...more,
    });
  const linked = (s: Situation, ...accounts: string[]) => ({
    ...s,
    person: { ...s.person, links: accounts.map((name) => ({ account: name, username: 'jane@acme.com' })) },
  });

  it('whoever loses the last grant of an account loses that account, and no other', () => {
    const draft = plan(linked(member(['A']), 'a', 'b', 'free'), p);
    expect(draft.actions.map((action) => `${action.account} ${action.kind}`)).toEqual(['b deprovision']);
    expect(draft.verdict).toBe('unassigned');
    expect(draft.reasons).toEqual([
      'The directory says the person is active',
      'The directory says the person is active but in no group that grants access to b',
    ]);
  });

  it('an account that no grant names is nobody’s to lose', () => {
    expect(kinds(linked(member([]), 'free'), p)).toEqual([]);
  });

  it('group names are compared without case and blanks', () => {
    expect(kinds(linked(member([' a ', 'B']), 'a', 'b'), p)).toEqual([]);
  });

  it.each(['restrict', 'keep'] as const)('offboarding.unassigned: %s decides', (unassigned) => {
    const q = { ...p, offboarding: offboarding({ unassigned }) };
    expect(kinds(linked(member(['A']), 'b'), q)).toEqual(unassigned === 'keep' ? [] : ['b restrict']);
  });

  it('who was never covered is drift: it is reported and nothing is removed', () => {
    const draft = plan(member(['A']), p);
    expect(draft).toMatchObject({ verdict: 'keep', actions: [] });
    expect(draft.reasons.filter((reason) => reason.includes('drift'))).toEqual([
      'In b: drift. Nothing shows that the app or a grant ever covered this person there, so nothing is removed',
    ]);
  });

  it('and who is not there is not even drift', () => {
    const s = member(['A'], { rosters: [roster('b', [])] });
    expect(plan(s, p).reasons).toEqual(['The directory says the person is active']);
  });

  it.each<[string, Partial<Situation>]>([
    ['an event that says the app was taken from them', { eventType: 'unassigned' }],
    [
      'a restriction by Sendoff',
      {
        restrictions: [
          {
            account: 'b',
            subuser: null,
            username: 'jane@acme.com',
            before: { admin: false, scopes: ['mail.send'], subusers: null },
          },
        ],
      },
    ],
    ['an arrival: SendGrid made them at a sign-in', { arrivals: [{ account: 'b', username: 'jane@acme.com' }] }],
  ])('was covered by %s', (_, more) => {
    expect(kinds(member(['A'], more), p)).toEqual(['b deprovision']);
  });

  it('an arrival in one account says nothing about another', () => {
    const s = member([], { arrivals: [{ account: 'b', username: 'jane@acme.com' }] });
    expect(kinds(s, p)).toEqual(['b deprovision']);
  });

  it('an arrival whom a group grants a role is given it', () => {
    const access = { admin: false, scopes: ['user.profile.read'], subusers: null };
    const s = member(['A', 'B'], {
      arrivals: [{ account: 'b', username: 'jane@acme.com' }],
      known: [{ account: 'b', subuser: null, username: 'jane@acme.com', access }],
    });
    expect(kinds(s, p)).toEqual(['b rescope']);
  });

  it('a group counts for nothing without the app, where one is configured', () => {
    const s = linked(member(['A', 'B'], {}, { assigned: false }), 'a', 'b', 'free');
    expect(kinds(s, p)).toEqual(['a deprovision', 'b deprovision', 'free deprovision']);
  });

  it('nor against an operator’s order, a suspension or a deactivation', () => {
    const order = { proposed: false, by: 'operator:root', reason: null, at: new Date(0) };
    expect(kinds(member(['A', 'B'], { order }), p)).toEqual(['a deprovision', 'b deprovision', 'free deprovision']);
    const suspended = directoryPerson('suspended', { groups: ['A', 'B'] });
    expect(kinds(member([], { evidence: { kind: 'found', person: suspended } }), p)).toEqual([
      'a restrict',
      'b restrict',
      'free restrict',
    ]);
  });

  it('only who leaves the company hands over what they owned', () => {
    const belongings = [
      { kind: 'alert' as const, id: '5', label: 'Alert', addresses: ['jane@acme.com'], subuser: null },
    ];
    const keys = [{ subuser: null, id: 'k1', name: 'jane-laptop' }];
    const draft = plan(linked(member(['A'], { rosters: [roster('b', [jane], { belongings, keys })] }), 'b'), p);
    expect(draft.actions.map((action) => action.kind)).toEqual(['deprovision']);
    expect(draft.todos).toEqual([]);
  });
});

describe('who is on no list of the directory', () => {
  const unlisted = (orphan: boolean) =>
    situation('active', [roster('marketing', [jane])], { evidence: { kind: 'unlisted' }, orphan });

  it('is removed only when the whole directory was read and the policy says so', () => {
    expect(kinds(unlisted(true), policy())).toEqual(['marketing deprovision']);
    expect(kinds(unlisted(false), policy())).toEqual([]);
  });

  it('being an orphan says nothing against a directory that knows them', () => {
    expect(kinds(situation('active', [roster('marketing', [jane])], { orphan: true }), policy())).toEqual([]);
  });
});

describe('the Twilio user', () => {
  const twilio = { id: 'US1', userName: 'jane@acme.com', active: true };
  const p = policy({ twilio: { mode: 'enforce' } });

  it('of a leaver is deactivated, after everything in SendGrid', () => {
    const s = situation('inactive', [roster('marketing', [jane])], { twilio });
    expect(plan(s, p).actions.map(({ kind, target }) => [kind, target])).toEqual([
      ['deprovision', 'jane@acme.com'],
      ['deactivate', 'US1'],
    ]);
  });

  it('of nobody else, and not twice', () => {
    expect(kinds(situation('suspended', [], { twilio }), p)).toEqual([]);
    expect(kinds(situation('active', [], { twilio }), p)).toEqual([]);
    expect(kinds(situation('inactive', [], { twilio: { ...twilio, active: false } }), p)).toEqual([]);
    expect(kinds(situation('inactive', [], { twilio }), policy())).toEqual([]);
    expect(
      kinds(situation('inactive', [], { twilio }), { ...p, offboarding: offboarding({ terminated: 'keep' }) }),
    ).toEqual([]);
  });

  it('of a protected person is never touched', () => {
    const draft = plan(situation('inactive', [], { twilio }), { ...p, protect: ['jane@acme.com'] });
    expect(draft.actions).toEqual([]);
    expect(draft.refused.map((guard) => guard.rule)).toEqual(['protected']);
  });

  it('of an address that the directory has under two ids is held', () => {
    const draft = plan(situation('inactive', [], { twilio, sharedAddresses: ['jane@acme.com'] }), p);
    expect(draft.holds).toMatchObject([{ rule: 'ambiguous', target: 'US1' }]);
  });
});
