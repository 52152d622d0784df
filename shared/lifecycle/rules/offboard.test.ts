import { describe, expect, it } from 'vitest';
import { account, admin, invitation, owner, policy, roster, situation, teammate } from '#test/support/situation.js';
import { plan } from '../plan.js';
import type { Situation } from '../situation.js';
import type { AccessRequest, Policy, Restriction, Roster, SubuserRoster } from '../types.js';

const jane = teammate('jane@acme.com');
const kim = teammate('kim@acme.com');
const least = { admin: false, scopes: ['user.profile.read'], subusers: null };

function subuser(name: string, more: Partial<SubuserRoster> = {}): SubuserRoster {
  return { id: name.length, name, email: 'ops@acme.com', teammates: [], invitations: [], ...more };
}

function request(more: Partial<AccessRequest> = {}): AccessRequest {
  return { id: '31', username: 'jane@acme.com', email: 'jane@acme.com', scopeGroup: 'Mail Settings', ...more };
}

const lines = (s: Situation, p: Policy = policy()) =>
  plan(s, p).actions.map((a) => `${a.kind} ${a.footprint} ${a.subuser ?? '-'} ${a.target}`);

const everywhere = (more: Partial<Roster> = {}) =>
  roster('marketing', [jane, kim], {
    invitations: [invitation('jane@acme.com'), invitation('kim@acme.com')],
    accessRequests: [request(), request({ id: '32', username: 'kim@acme.com', email: 'kim@acme.com' })],
    subusers: [
      subuser('us', { teammates: [kim, jane], invitations: [invitation('Jane@acme.com')] }),
      subuser('brand-eu', { teammates: [jane] }),
      subuser('empty'),
    ],
    ...more,
  });

describe('a leaver’s footprints', () => {
  it('all go: access requests first, then the parent, then every subuser by name', () => {
    expect(lines(situation('inactive', [everywhere()]))).toEqual([
      'deprovision access-request - 31',
      'deprovision teammate - jane@acme.com',
      'deprovision invitation - jane@acme.com',
      'deprovision teammate brand-eu jane@acme.com',
      'deprovision teammate us jane@acme.com',
      'deprovision invitation us jane@acme.com',
    ]);
  });

  it('all of a suspended person’s are taken as well, teammates restricted to exactly what the policy leaves', () => {
    const draft = plan(situation('suspended', [everywhere()]), policy());
    expect(draft.actions.map((a) => `${a.kind} ${a.footprint} ${a.subuser ?? '-'}`)).toEqual([
      'deprovision access-request -',
      'restrict teammate -',
      'deprovision invitation -',
      'restrict teammate brand-eu',
      'restrict teammate us',
      'deprovision invitation us',
    ]);
    for (const action of draft.actions) if (action.kind === 'restrict') expect(action.wanted).toEqual(least);
  });

  it('an access request is theirs by username too, whatever address it carries', () => {
    const mate = teammate('jane@acme.com', { username: 'jdoe' });
    const requests = [request({ username: 'jdoe', email: '' }), request({ id: '9', username: 'x', email: 'x@y.z' })];
    expect(lines(situation('inactive', [roster('marketing', [mate], { accessRequests: requests })]))).toEqual([
      'deprovision access-request - 31',
      'deprovision teammate - jdoe',
    ]);
  });

  it('a link made in the parent says nothing about the same username inside a subuser', () => {
    const stranger = teammate('kim@acme.com', { username: 'jdoe' });
    const s = situation('inactive', [
      roster('marketing', [], { subusers: [subuser('us', { teammates: [stranger] })] }),
    ]);
    s.person.links = [{ account: 'marketing', username: 'jdoe' }];
    expect(lines(s)).toEqual([]);
  });

  it('a subuser that could not be read is said to be unread, and what could be read goes', () => {
    const unread = [{ account: 'marketing', part: 'subuser us', reason: 'HTTP 500', retryMs: 30_000 }];
    const draft = plan(situation('inactive', [roster('marketing', [jane], { unread })]), policy());
    expect(draft.unread).toEqual(unread);
    expect(draft.actions).toHaveLength(1);
  });

  it('and of somebody who stays nothing unread inside a subuser is of interest', () => {
    const unread = [{ account: 'marketing', part: 'subuser us', reason: 'HTTP 500', retryMs: 30_000 }];
    expect(plan(situation('active', [roster('marketing', [jane], { unread })]), policy()).unread).toEqual([]);
  });
});

describe('what a draft says', () => {
  it('an owner is never among them, inside a subuser either', () => {
    const subusers = [subuser('us', { teammates: [{ ...owner('jane@acme.com'), username: 'us-owner' }] })];
    const draft = plan(situation('inactive', [roster('marketing', [jane], { subusers })]), policy());
    expect(draft.actions.map((a) => a.subuser)).toEqual([null]);
    expect(draft.refused).toMatchObject([{ rule: 'owner', target: 'us-owner' }]);
  });

  it('full access counts in the parent only', () => {
    const subusers = [
      subuser('us', {
        teammates: [admin('jane@acme.com')],
        invitations: [invitation('jane@acme.com', { admin: true })],
      }),
    ];
    const invitations = [invitation('jane@acme.com', { admin: true })];
    const draft = plan(
      situation('inactive', [roster('marketing', [admin('jane@acme.com')], { subusers, invitations })]),
      policy(),
    );
    expect(draft.actions.map(({ footprint, subuser: place, admin: full }) => [footprint, place, full])).toEqual([
      ['teammate', null, true],
      ['invitation', null, true],
      ['teammate', 'us', false],
      ['invitation', 'us', false],
    ]);
  });

  const ids = [{ id: 7, name: 'us' }];
  it.each([
    ['an SSO teammate where there are subusers', jane, ids, true],
    ['nobody where there are none', jane, [], false],
    ['no admin', admin('jane@acme.com'), ids, false],
    ['no password teammate', teammate('jane@acme.com', { sso: false }), ids, false],
  ])('who may be confined to subusers, which a record must hold: %s', (_, mate, subuserIds, confined) => {
    const [action] = plan(situation('inactive', [roster('marketing', [mate], { subuserIds })]), policy()).actions;
    expect(action).toMatchObject({ kind: 'deprovision', confined });
  });

  it('also where nobody knows whether there are any: not read, or not to be swept', () => {
    const unread = [{ account: 'marketing', part: 'subusers', reason: 'HTTP 500', retryMs: 30_000 }];
    const [unknown] = plan(situation('inactive', [roster('marketing', [jane], { unread })]), policy()).actions;
    expect(unknown).toMatchObject({ kind: 'deprovision', confined: true });
    const unswept = policy({ accounts: [account('marketing', { subusers: 'none' })] });
    const [other] = plan(situation('inactive', [roster('marketing', [jane])]), unswept).actions;
    expect(other).toMatchObject({ kind: 'deprovision', confined: true });
  });

  it('nor anybody inside a subuser', () => {
    const subusers = [subuser('us', { teammates: [jane] })];
    const [action] = plan(
      situation('inactive', [roster('marketing', [], { subusers, subuserIds: ids })]),
      policy(),
    ).actions;
    expect(action).toMatchObject({ kind: 'deprovision', subuser: 'us', confined: false });
  });
});

describe('who was restricted already', () => {
  const known = (place: string | null) => [
    { account: 'marketing', subuser: place, username: 'jane@acme.com', access: least },
  ];
  const both = roster('marketing', [jane], { subusers: [subuser('us', { teammates: [jane] })] });

  it('is not restricted again there, and is elsewhere', () => {
    expect(lines(situation('suspended', [both], { known: known(null) }))).toEqual([
      'restrict teammate us jane@acme.com',
    ]);
    expect(lines(situation('suspended', [both], { known: known('us') }))).toEqual([
      'restrict teammate - jane@acme.com',
    ]);
  });

  it('is, when the list shows full access, whatever was known of them a moment ago', () => {
    const s = situation('suspended', [roster('marketing', [admin('jane@acme.com')])], { known: known(null) });
    expect(lines(s)).toEqual(['restrict teammate - jane@acme.com']);
  });
});

describe('who comes back', () => {
  const before = { admin: false, scopes: ['mail.send'], subusers: null };
  const restriction = (more: Partial<Restriction> = {}): Restriction => ({
    account: 'marketing',
    subuser: null,
    username: 'jane@acme.com',
    before,
    ...more,
  });
  const both = () => roster('marketing', [jane], { subusers: [subuser('us', { teammates: [jane] })] });
  const restored = (more: Partial<Situation>, p: Policy = policy()) =>
    lines(situation('active', [both()], more), p).filter((line) => line.startsWith('restore'));

  it('gets back in each place what was taken in that place', () => {
    expect(restored({ restrictions: [restriction()] })).toEqual(['restore teammate - jane@acme.com']);
    expect(restored({ restrictions: [restriction({ subuser: 'us' })] })).toEqual(['restore teammate us jane@acme.com']);
    expect(restored({ restrictions: [restriction({ account: 'other' })] })).toEqual([]);
    expect(restored({ restrictions: [restriction({ username: 'kim@acme.com' })] })).toEqual([]);
  });

  it('gets nothing that they have again', () => {
    const known = [{ account: 'marketing', subuser: null, username: 'jane@acme.com', access: before }];
    expect(restored({ restrictions: [restriction()], known })).toEqual([]);
  });

  const granted = (scopes: string[], known: string[] | null = null): [Partial<Situation>, Policy] => [
    {
      restrictions: [restriction()],
      evidence: { kind: 'found', person: { ...person, groups: ['G'] } },
      known:
        known === null
          ? []
          : [
              {
                account: 'marketing',
                subuser: null,
                username: 'jane@acme.com',
                access: { admin: false, scopes: known, subusers: null },
              },
            ],
    },
    policy({
      accounts: [account('marketing')],
      roles: { r: { kind: 'scopes', scopes } },
      grants: [{ group: 'G', account: 'marketing', role: 'r' }],
    }),
  ];
  const found = situation('active', []).evidence;
  if (found.kind !== 'found') throw new Error('an active person is found');
  const person = found.person;

  it('gets the role that their groups grant, and not what they had before', () => {
    const [more, p] = granted(['stats.read'], ['user.profile.read']);
    expect(lines(situation('active', [roster('marketing', [jane])], more), p)).toEqual([
      'rescope teammate - jane@acme.com',
    ]);
  });

  it('gets nothing of what they had before when they hold the granted role already', () => {
    const [more, p] = granted(['stats.read'], ['stats.read']);
    expect(lines(situation('active', [roster('marketing', [jane])], more), p)).toEqual([]);
  });

  it('gets back what was taken at once, also when their name has changed meanwhile', () => {
    const mate = teammate('jane@acme.com', { lastName: 'Smith' });
    expect(lines(situation('active', [roster('marketing', [mate])], { restrictions: [restriction()] }))).toContain(
      'restore teammate - jane@acme.com',
    );
  });

  it('gets back what was taken inside a subuser, whatever happens to them in the parent', () => {
    const [more, p] = granted(['stats.read'], ['user.profile.read']);
    expect(restored({ ...more, restrictions: [restriction({ subuser: 'us' })] }, p)).toEqual([
      'restore teammate us jane@acme.com',
    ]);
  });

  it('gets nothing when it was somebody else’s teammate all along: that is held', () => {
    const draft = plan(
      situation('active', [roster('marketing', [jane])], {
        restrictions: [restriction()],
        foreignLinks: [{ account: 'marketing', username: 'jane@acme.com' }],
      }),
      policy(),
    );
    expect(draft.holds.map((hold) => hold.rule)).toEqual(['ambiguous']);
  });
});
