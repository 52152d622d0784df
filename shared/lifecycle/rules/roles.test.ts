import { describe, expect, it } from 'vitest';
import {
  account,
  directoryPerson,
  invitation,
  owner,
  policy,
  roster,
  situation,
  teammate,
} from '#test/support/situation.js';
import { scopesOf } from '../persona.js';
import { plan } from '../plan.js';
import type { Situation } from '../situation.js';
import type { Access, AccountPolicy, DirectoryPerson, Policy, Role, Roster, Teammate } from '../types.js';

const jane = teammate('jane@acme.com');
const scopes = (...list: string[]): Access => ({ admin: false, scopes: list, subusers: null });
const full: Access = { admin: true, scopes: [], subusers: null };
const inEu = (...list: string[]): Access => ({
  admin: false,
  scopes: [],
  subusers: [{ id: 7, permission: 'restricted', scopes: list }],
});
const reader: Role = { kind: 'scopes', scopes: ['stats.read', 'mail.send'] };
const eu: Role = { kind: 'subusers', subusers: [{ name: 'eu', permission: 'restricted', scopes: ['stats.read'] }] };
const ids = [
  { id: 9, name: 'us' },
  { id: 7, name: 'eu' },
];

interface Case {
  role?: Role;
  mate?: Teammate | null;
  /** What they may do now; null: not known. */
  now?: Access | null;
  provisioning?: Partial<Policy['provisioning']>;
  account?: Partial<AccountPolicy>;
  roster?: Partial<Roster>;
  person?: Partial<DirectoryPerson>;
  situation?: Partial<Situation>;
}

function planned({ role = reader, mate = jane, now = null, ...more }: Case) {
  const p = policy({
    accounts: [account('marketing', more.account)],
    roles: { wanted: role },
    grants: [{ group: 'G', account: 'marketing', role: 'wanted' }],
    provisioning: { ...policy().provisioning, ...more.provisioning },
  });
  const s = situation(
    'active',
    [roster('marketing', mate === null ? [] : [mate], { subuserIds: ids, ...more.roster })],
    {
      evidence: { kind: 'found', person: directoryPerson('active', { groups: ['G'], ...more.person }) },
      known:
        now === null || mate === null
          ? []
          : [{ account: 'marketing', subuser: null, username: mate.username, access: now }],
      ...more.situation,
    },
  );
  return plan(s, p);
}
const actionsOf = (one: Case) => planned(one).actions;

describe('a mover’s access', () => {
  it('becomes exactly the role', () => {
    expect(actionsOf({ now: scopes('stats.read', 'templates.read') })).toMatchObject([
      {
        kind: 'rescope',
        footprint: 'teammate',
        target: 'jane@acme.com',
        wanted: scopes('mail.send', 'stats.read'),
        persona: null,
        role: 'wanted',
        reason: 'Their groups grant the role wanted',
      },
    ]);
  });

  it.each<[string, Role, Access]>([
    ['scopes, in any order', reader, scopes('stats.read', 'mail.send')],
    ['full access', { kind: 'admin' }, full],
    ['full access, whatever scopes are listed with it', { kind: 'admin' }, { ...full, scopes: ['mail.send'] }],
    ['a persona, spelled out', { kind: 'persona', persona: 'marketer' }, scopes(...scopesOf('marketer'))],
    ['subusers', eu, inEu('stats.read')],
    [
      'scopes that every teammate has anyway',
      reader,
      scopes('mail.send', 'stats.read', 'user.profile.read', 'user.profile.update'),
    ],
    ['such scopes inside a subuser', eu, inEu('stats.read', 'user.profile.read')],
    [
      'such scopes named by the role and not shown',
      { kind: 'scopes', scopes: ['mail.send', 'user.profile.read'] },
      scopes('mail.send'),
    ],
  ])('is left alone when it is that: %s', (_, role, now) => {
    expect(actionsOf({ role, now })).toEqual([]);
  });

  it.each<[string, Role, Access]>([
    ['a scope too few', reader, scopes('mail.send')],
    ['a scope too many', reader, scopes('mail.send', 'stats.read', 'teammates.create')],
    ['full access', reader, full],
    ['no full access', { kind: 'admin' }, scopes('mail.send', 'stats.read')],
    ['another persona', { kind: 'persona', persona: 'marketer' }, scopes(...scopesOf('developer'))],
    ['the whole account instead of one subuser', eu, scopes('stats.read')],
    ['one subuser instead of the whole account', reader, inEu('mail.send', 'stats.read')],
    ['another scope in the subuser', eu, inEu('mail.send')],
    ['all of the subuser', eu, { ...inEu(), subusers: [{ id: 7, permission: 'admin', scopes: [] }] }],
    [
      'a subuser too many',
      eu,
      { ...inEu(), subusers: [...(inEu('stats.read').subusers ?? []), { id: 9, permission: 'admin', scopes: [] }] },
    ],
  ])('is changed when it differs: %s', (_, role, now) => {
    const wanted = actionsOf({ role, now });
    expect(wanted.map((action) => action.kind)).toEqual(['rescope']);
  });

  it('a persona is asked for by its name, and compared by its scopes', () => {
    expect(actionsOf({ role: { kind: 'persona', persona: 'developer' }, now: scopes('stats.read') })).toMatchObject([
      { kind: 'rescope', persona: 'developer', wanted: scopes(...scopesOf('developer')) },
    ]);
  });

  it('subusers are named by id, in their order, admins of one without scopes', () => {
    const role: Role = {
      kind: 'subusers',
      subusers: [
        { name: 'us', permission: 'admin', scopes: [] },
        { name: 'eu', permission: 'restricted', scopes: ['stats.read', 'mail.send'] },
      ],
    };
    expect(actionsOf({ role, now: full })).toMatchObject([
      {
        wanted: {
          admin: false,
          scopes: [],
          subusers: [
            { id: 7, permission: 'restricted', scopes: ['mail.send', 'stats.read'] },
            { id: 9, permission: 'admin', scopes: [] },
          ],
        },
      },
    ]);
  });

  it('is not changed when provisioning.rescope is off, or when it could not be read', () => {
    expect(actionsOf({ now: full, provisioning: { rescope: false } })).toEqual([]);
    expect(actionsOf({ now: null })).toEqual([]);
  });

  it('of a password teammate: scopes that SendGrid manages for them are not missing', () => {
    const mate = teammate('jane@acme.com', { sso: false });
    const role: Role = { kind: 'scopes', scopes: ['mail.send', 'user.email.update'] };
    expect(actionsOf({ mate, role, now: scopes('mail.send') })).toEqual([]);
  });

  it('the first line that matches an account decides', () => {
    const p = policy({
      accounts: [account('marketing'), account('other')],
      roles: { one: { kind: 'scopes', scopes: ['stats.read'] }, two: { kind: 'admin' }, three: reader },
      grants: [
        { group: 'nobody', account: 'marketing', role: 'two' },
        { group: 'G', account: 'other', role: 'two' },
        { group: 'H', account: 'marketing', role: 'one' },
        { group: 'G', account: 'marketing', role: 'three' },
      ],
    });
    const s = situation('active', [roster('marketing', [jane])], {
      evidence: { kind: 'found', person: directoryPerson('active', { groups: ['G', 'H'] }) },
      known: [{ account: 'marketing', subuser: null, username: 'jane@acme.com', access: full }],
    });
    expect(plan(s, p).actions).toMatchObject([{ kind: 'rescope', role: 'one', wanted: scopes('stats.read') }]);
  });

  it('the owner’s is nobody’s to change, and no reason to stop a plan', () => {
    const known = [{ account: 'marketing', subuser: null, username: 'acme-owner', access: full }];
    const draft = planned({ mate: null, roster: { teammates: [owner('jane@acme.com')] }, situation: { known } });
    expect(draft).toMatchObject({ actions: [], refused: [] });
  });

  it('a protected person’s is not either', () => {
    const p = policy({
      roles: { wanted: reader },
      grants: [{ group: 'G', account: 'marketing', role: 'wanted' }],
      protect: ['jane@acme.com'],
    });
    const s = situation('active', [roster('marketing', [jane])], {
      evidence: { kind: 'found', person: directoryPerson('active', { groups: ['G'] }) },
      known: [{ account: 'marketing', subuser: null, username: 'jane@acme.com', access: full }],
    });
    expect(plan(s, p)).toMatchObject({ actions: [], refused: [{ rule: 'protected' }] });
  });

  it('a doubtful teammate’s is held', () => {
    const draft = planned({
      now: full,
      situation: { foreignLinks: [{ account: 'marketing', username: 'jane@acme.com' }] },
    });
    expect(draft.actions).toHaveLength(1);
    expect(draft.holds).toMatchObject([{ rule: 'ambiguous', target: 'jane@acme.com' }]);
  });
});

describe('what SendGrid makes of a persona', () => {
  const shown = scopes('categories.read', 'stats.global.read');
  const applied = (persona: 'marketer' | 'developer' | null) => ({
    applied: [{ account: 'marketing', username: 'jane@acme.com', persona, shown }],
  });
  const role: Role = { kind: 'persona', persona: 'marketer' };

  it('counts as held when it showed the same after the same persona', () => {
    expect(actionsOf({ role, now: shown, situation: applied('marketer') })).toEqual([]);
  });

  it('does not after another persona, after none, or when it shows something else by now', () => {
    for (const one of [
      { now: shown, situation: applied('developer') },
      { now: shown, situation: applied(null) },
      { now: scopes('categories.read'), situation: applied('marketer') },
      { now: { ...shown, admin: true }, situation: applied('marketer') },
    ]) {
      expect(actionsOf({ role, ...one }).map((action) => action.kind)).toEqual(['rescope']);
    }
  });

  it('excuses no role of scopes', () => {
    expect(actionsOf({ now: shown, situation: applied(null) }).map((action) => action.kind)).toEqual(['rescope']);
  });
});

describe('a role that can’t be carried out', () => {
  it('confining a password teammate to subusers is refused, with the reason', () => {
    const draft = planned({ role: eu, mate: teammate('jane@acme.com', { sso: false }), now: scopes('stats.read') });
    expect(draft.actions).toEqual([]);
    expect(draft.refused).toMatchObject([
      { rule: 'unsupported', account: 'marketing', target: 'jane@acme.com', detail: expect.stringContaining('SSO') },
    ]);
  });

  it('subusers that are not there are named, and nothing is changed', () => {
    const role: Role = {
      kind: 'subusers',
      subusers: ['eu', 'uk', 'za'].map((name) => ({ name, permission: 'admin', scopes: [] })),
    };
    const draft = planned({ role, now: full });
    expect(draft.actions).toEqual([]);
    expect(draft.refused).toEqual([
      {
        rule: 'role',
        account: 'marketing',
        target: null,
        detail: 'role wanted names subusers that are not there: uk, za',
      },
    ]);
  });

  it('that concerns nobody who is not there and would not be made', () => {
    const role: Role = { kind: 'subusers', subusers: [{ name: 'uk', permission: 'admin', scopes: [] }] };
    expect(planned({ role, mate: null }).refused).toEqual([]);
    expect(planned({ role, mate: null, provisioning: { create: true } }).refused).toHaveLength(1);
  });

  it('inviting somebody into subusers alone is refused before it is tried', () => {
    const draft = planned({ role: eu, mate: null, account: { sso: false }, provisioning: { create: true } });
    expect(draft).toMatchObject({ actions: [], refused: [{ rule: 'unsupported' }] });
  });
});

describe('a joiner', () => {
  const create = { create: true };

  it('is made only with provisioning.create', () => {
    expect(actionsOf({ mate: null })).toEqual([]);
    expect(actionsOf({ mate: null, provisioning: create })).toMatchObject([
      {
        kind: 'provision',
        footprint: 'teammate',
        subuser: null,
        target: 'jane@acme.com',
        sso: true,
        firstName: 'Jane',
        lastName: 'Doe',
        wanted: scopes('mail.send', 'stats.read'),
        persona: null,
        recordId: null,
      },
    ]);
  });

  it('is made under the address that the account’s identity template gives', () => {
    const one = { mate: null, provisioning: create, account: { identity: '{local}+mkt@{domain}', sso: false } };
    expect(actionsOf(one)).toMatchObject([{ target: 'jane+mkt@acme.com', email: 'jane+mkt@acme.com', sso: false }]);
  });

  it('is not made twice: not beside a teammate, an invitation, or a teammate inside a subuser', () => {
    const subuser = { id: 7, name: 'eu', email: '', teammates: [jane], invitations: [] };
    expect(actionsOf({ provisioning: create, now: scopes('mail.send', 'stats.read') })).toEqual([]);
    for (const where of [{ invitations: [invitation('JANE@acme.com')] }, { subusers: [subuser] }]) {
      expect(actionsOf({ mate: null, provisioning: create, roster: where })).toEqual([]);
    }
  });

  it('without a group that grants a role is not made', () => {
    expect(actionsOf({ mate: null, provisioning: create, person: { groups: [] } })).toEqual([]);
  });

  it('without any address is not made', () => {
    expect(actionsOf({ mate: null, provisioning: create, person: { emails: [] } })).toEqual([]);
  });
});

describe('a new name', () => {
  const smith = teammate('jane@acme.com', { lastName: 'Smith' });
  const held = { now: scopes('mail.send', 'stats.read') };

  it('follows the directory, with and without grants', () => {
    const renamed = [{ kind: 'rename', target: 'jane@acme.com', firstName: 'Jane', lastName: 'Doe' }];
    expect(actionsOf({ mate: smith, ...held })).toMatchObject(renamed);
    expect(plan(situation('active', [roster('marketing', [smith])]), policy()).actions).toMatchObject(renamed);
  });

  it.each<[string, Case]>([
    ['password teammates: it is their own affair', { mate: { ...smith, sso: false } }],
    ['nobody when provisioning.rename is off', { mate: smith, provisioning: { rename: false } }],
    ['nobody of whom the directory gives no first name', { mate: smith, person: { firstName: null } }],
    ['nobody of whom the directory gives no last name', { mate: smith, person: { lastName: null } }],
    ['nobody whose name is right', { mate: jane }],
    [
      'nobody inside a subuser',
      { mate: null, roster: { subusers: [{ id: 7, name: 'eu', email: '', teammates: [smith], invitations: [] }] } },
    ],
    ['not the owner', { mate: null, roster: { teammates: [{ ...owner('jane@acme.com'), lastName: 'X', sso: true }] } }],
  ])('concerns %s', (_, one) => {
    expect(actionsOf({ ...held, ...one }).filter((action) => action.kind === 'rename')).toEqual([]);
  });

  it('concerns the owner nowhere: there it is no reason to stop a plan either', () => {
    const teammates = [{ ...owner('jane@acme.com'), lastName: 'Smith', sso: true }];
    const draft = plan(situation('active', [roster('marketing', [], { teammates })]), policy());
    expect(draft).toMatchObject({ actions: [], refused: [] });
  });

  it('waits while their access changes', () => {
    expect(actionsOf({ mate: smith, now: full }).map((action) => action.kind)).toEqual(['rescope']);
  });
});
