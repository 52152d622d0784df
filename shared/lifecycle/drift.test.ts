import { describe, expect, it } from 'vitest';
import { account, invitation, owner, policy, roster, teammate } from '#test/support/situation.js';
import { type Comparison, findDrift, type Listed, placeKey } from './drift.js';
import type { Invitation, Policy, Roster, Teammate } from './types.js';

const jane = teammate('jane@acme.com');

const listed = (more: Partial<Listed> = {}): Listed => ({
  directory: 'okta',
  directoryId: '00u-jane',
  standing: 'active',
  assigned: null,
  groups: [],
  ...more,
});

type People = Record<string, Partial<Listed>[]>;
const everybody: People = { 'jane@acme.com': [{}] };

interface Case {
  teammates?: Teammate[];
  invitations?: Invitation[];
  roster?: Partial<Roster>;
  people?: People;
  policy?: Partial<Policy>;
  identity?: string;
  links?: Comparison['links'];
  restricted?: string[];
  newcomers?: string[];
  unasked?: string[];
}

function compare({ teammates = [], invitations = [], people = everybody, identity = '{email}', ...more }: Case) {
  const here = account('marketing', { identity });
  return findDrift({
    roster: roster('marketing', teammates, { invitations, ...more.roster }),
    account: here,
    index: new Map(Object.entries(people).map(([email, list]) => [email, list.map(listed)])),
    policy: policy({ accounts: [here], ...more.policy }),
    links: more.links ?? [],
    restricted: new Set(more.restricted ?? []),
    newcomers: new Set(more.newcomers ?? []),
    unasked: new Set(more.unasked ?? []),
  });
}

const linesOf = (one: Case) =>
  compare(one).drift.map((d) => `${d.kind} ${d.footprint} ${d.subuser ?? '-'} ${d.target}`);
const kinds = (one: Case) => compare(one).drift.map(({ kind }) => kind);
const granting: Partial<Policy> = {
  roles: { r: { kind: 'scopes', scopes: ['stats.read'] } },
  grants: [{ group: 'G', account: 'marketing', role: 'r' }],
};
const link = { account: 'marketing', username: 'jane@acme.com', directory: 'okta', directoryId: '00u-jane' };
const subuser = (more: Partial<Roster['subusers'][number]>) => ({
  subusers: [{ id: 7, name: 'eu', email: '', teammates: [], invitations: [], ...more }],
});

describe('a teammate', () => {
  it.each<[string, People, string[]]>([
    ['of an active person is as it should be', { 'jane@acme.com': [{}] }, []],
    ['of nobody is an orphan', {}, ['orphan']],
    ['of somebody deactivated is a leaver', { 'jane@acme.com': [{ standing: 'inactive' }] }, ['leaver']],
    ['of somebody suspended should be restricted', { 'jane@acme.com': [{ standing: 'suspended' }] }, ['suspended']],
    ['of somebody without the app is unassigned', { 'jane@acme.com': [{ assigned: false }] }, ['unassigned']],
    ['of somebody with the app is as it should be', { 'jane@acme.com': [{ assigned: true }] }, []],
    [
      'whose address two people have is ambiguous, even if both left',
      {
        'jane@acme.com': [
          { directoryId: '1', standing: 'inactive' },
          { directoryId: '2', standing: 'inactive' },
        ],
      },
      ['ambiguous'],
    ],
    ['of one person listed twice under it is not', { 'jane@acme.com': [{}, {}] }, []],
  ])('%s', (_, people, expected) => {
    expect(kinds({ teammates: [jane], people })).toEqual(expected);
  });

  it('and an invitation of an address that could not be asked for are not judged', () => {
    const both = { teammates: [jane], invitations: [invitation('kim@acme.com')], people: {} };
    expect(kinds(both)).toEqual(['orphan', 'orphan']);
    expect(kinds({ ...both, unasked: ['jane@acme.com', 'kim@acme.com'] })).toEqual([]);
  });

  it('is told with place, name, address and who it is', () => {
    const mate = teammate('Jane@ACME.com', { username: 'jdoe' });
    expect(compare({ teammates: [mate], people: { 'jane@acme.com': [{ standing: 'inactive' }] } }).drift).toEqual([
      {
        kind: 'leaver',
        account: 'marketing',
        subuser: null,
        footprint: 'teammate',
        target: 'jdoe',
        email: 'Jane@ACME.com',
        directory: 'okta',
        directoryId: '00u-jane',
        detail: 'deactivated in the directory',
        act: true,
      },
    ]);
  });

  it('that Sendoff restricted is what a suspended person should have; inside a subuser it is another', () => {
    const people: People = { 'jane@acme.com': [{ standing: 'suspended' }] };
    const both = { teammates: [jane], roster: subuser({ teammates: [jane] }), people };
    expect(linesOf(both)).toEqual(['suspended teammate - jane@acme.com', 'suspended teammate eu jane@acme.com']);
    const restricted = [placeKey('marketing', null, 'jane@acme.com')];
    expect(linesOf({ ...both, restricted })).toEqual(['suspended teammate eu jane@acme.com']);
    const inside = [placeKey('marketing', 'eu', 'jane@acme.com')];
    expect(linesOf({ ...both, restricted: inside })).toEqual(['suspended teammate - jane@acme.com']);
    expect(linesOf({ ...both, restricted: [placeKey('other', null, 'jane@acme.com')] })).toHaveLength(2);
  });

  it('inside a subuser is compared as well', () => {
    const one = { roster: subuser({ teammates: [jane], invitations: [invitation('kim@acme.com')] }), people: {} };
    expect(linesOf(one)).toEqual(['orphan teammate eu jane@acme.com', 'orphan invitation eu kim@acme.com']);
  });
});

describe('an invitation', () => {
  it.each<[string, People, string[]]>([
    ['of an active person is as it should be', everybody, []],
    ['of nobody is an orphan', {}, ['orphan invitation - Jane@acme.com']],
    [
      'of somebody deactivated is a leaver’s',
      { 'jane@acme.com': [{ standing: 'inactive' }] },
      ['leaver invitation - Jane@acme.com'],
    ],
  ])('%s', (_, people, expected) => {
    expect(linesOf({ invitations: [invitation('Jane@acme.com')], people })).toEqual(expected);
  });
});

describe('with an identity template', () => {
  const identity = '{local}+mkt@{domain}';

  it.each([
    ['the address that it makes', 'jane+mkt@acme.com', []],
    ['the person’s own address', 'jane@acme.com', []],
    ['another tag', 'jane+x@acme.com', ['orphan']],
    ['another person’s', 'kim+mkt@acme.com', ['orphan']],
  ])('a teammate is found under %s', (_, email, expected) => {
    expect(kinds({ teammates: [teammate(email)], identity })).toEqual(expected);
  });

  it('an address that leads to two people is ambiguous', () => {
    const people = { 'jane@acme.com': [{}], 'jane+mkt@acme.com': [{ directoryId: '00u-other' }] };
    expect(kinds({ teammates: [teammate('jane+mkt@acme.com')], identity, people })).toEqual(['ambiguous']);
  });

  it('an invitation is found the same way', () => {
    expect(kinds({ invitations: [invitation('jane+mkt@acme.com')], identity })).toEqual([]);
  });

  it('that leaves a part of the address out, nobody becomes an orphan by it', () => {
    expect(kinds({ teammates: [teammate('jane@mkt.acme.com')], identity: '{local}@mkt.acme.com' })).toEqual([]);
  });
});

describe('a stored link', () => {
  it('decides among several people who have the address', () => {
    const people = { 'jane@acme.com': [{ standing: 'inactive' as const, directoryId: 'other' }, {}] };
    expect(kinds({ teammates: [jane], people })).toEqual(['ambiguous']);
    expect(kinds({ teammates: [jane], people, links: [link] })).toEqual([]);
  });

  it('tells that somebody left whom the directory lists no longer', () => {
    expect(compare({ teammates: [jane], people: {}, links: [link] }).drift).toMatchObject([
      { kind: 'leaver', directoryId: '00u-jane' },
    ]);
  });

  it('to somebody without an id tells nothing', () => {
    expect(kinds({ teammates: [jane], people: {}, links: [{ ...link, directoryId: null }] })).toEqual(['orphan']);
  });

  it('is one of the parent: it says nothing about the same username inside a subuser', () => {
    expect(kinds({ roster: subuser({ teammates: [jane] }), people: {}, links: [link] })).toEqual(['orphan']);
  });

  it('to one person stands against another who has the address now', () => {
    const people = { 'jane@acme.com': [{ directoryId: '00u-new' }] };
    const found = compare({ teammates: [jane], people, links: [link] });
    expect(found.drift).toHaveLength(1);
    expect(found.matched).toEqual([]);
  });
});

describe('where groups grant access', () => {
  const member: People = { 'jane@acme.com': [{ groups: ['g'] }] };
  const outsider: People = { 'jane@acme.com': [{ groups: ['other'] }] };
  const unknown: People = { 'jane@acme.com': [{ groups: null }] };
  const one = { teammates: [jane], links: [link], policy: granting };

  it.each<[string, People, string[]]>([
    ['a member is as they should be', member, []],
    ['somebody in no such group is unassigned', outsider, ['unassigned']],
    ['somebody whose groups were not listed is to be asked for', unknown, ['access']],
  ])('%s', (_, people, expected) => {
    expect(kinds({ ...one, people })).toEqual(expected);
  });

  it('a member without a link is new, and to be given what their groups grant', () => {
    expect(compare({ ...one, people: member, links: [] }).drift).toMatchObject([
      { kind: 'arrival', directoryId: '00u-jane', detail: 'new here; their groups grant r', act: true, granted: true },
    ]);
  });

  it('nobody is new inside a subuser, or where nothing is granted', () => {
    expect(kinds({ roster: subuser({ teammates: [jane] }), people: member, policy: granting })).toEqual([]);
    expect(kinds({ teammates: [jane], people: member })).toEqual([]);
  });

  it('who left or is suspended is not new', () => {
    for (const standing of ['inactive', 'suspended'] as const) {
      const people = { 'jane@acme.com': [{ standing, groups: ['G'] }] };
      expect(kinds({ ...one, people, links: [] })).toEqual([standing === 'inactive' ? 'leaver' : 'suspended']);
    }
  });

  it.each<[string, People]>([
    ['a grant', outsider],
    ['the app', { 'jane@acme.com': [{ assigned: false, groups: ['G'] }] }],
  ])('without %s, only whom something once covered is acted on: the rest is reported', (_, people) => {
    const fresh = { ...one, people, newcomers: ['jane@acme.com'] };
    const acts = (more: Case) => compare({ ...one, people, ...more }).drift.map(({ kind, act }) => `${kind} ${act}`);
    expect(acts({})).toEqual(['unassigned true']);
    expect(acts({ links: [] })).toEqual(['unassigned false']);
    // SendGrid made them itself, at a sign-in: nobody gave them anything.
    expect(acts({ ...fresh, links: [] })).toEqual(['arrival true']);
    // Invited by somebody, or not seen for the first time.
    expect(acts({ ...fresh, links: [], teammates: [teammate('jane@acme.com', { sso: false })] })).toEqual([
      'unassigned false',
    ]);
    expect(acts({ ...fresh, links: [], teammates: [], roster: subuser({ teammates: [jane] }) })).toEqual([
      'unassigned false',
    ]);
  });
});

describe('what is acted on', () => {
  const acts = (one: Case) => compare(one).drift.map(({ kind, act }) => `${kind} ${act}`);

  it('orphans as the policy says, invitations alike', () => {
    const orphans = { teammates: [jane], invitations: [invitation('kim@acme.com')], people: {} };
    expect(acts(orphans)).toEqual(['orphan false', 'orphan false']);
    const reconcile = { everyMs: 1, orphans: 'remove' as const };
    expect(acts({ ...orphans, policy: { reconcile } })).toEqual(['orphan true', 'orphan true']);
  });

  it('never somebody who may be two people', () => {
    const people = { 'jane@acme.com': [{}, { directoryId: 'other' }] };
    expect(acts({ teammates: [jane], people })).toEqual(['ambiguous false']);
  });

  it('always a leaver and a suspended person', () => {
    for (const standing of ['inactive', 'suspended'] as const) {
      const one = { teammates: [jane], people: { 'jane@acme.com': [{ standing }] } };
      expect(acts(one)).toEqual([standing === 'inactive' ? 'leaver true' : 'suspended true']);
    }
  });
});

describe('ties to remember', () => {
  const matched = (one: Case) => compare(one).matched;
  const tie = { directory: 'okta', directoryId: '00u-jane', email: 'jane@acme.com', username: 'jane@acme.com' };
  const role = { name: 'r', role: { kind: 'scopes', scopes: ['stats.read'] } };

  it('are those of active people and teammates that are theirs without doubt, with what is granted', () => {
    expect(matched({ teammates: [jane] })).toEqual([{ ...tie, granted: null }]);
    const people = { 'jane@acme.com': [{ groups: ['G'] }] };
    expect(matched({ teammates: [jane], people, policy: granting, links: [link] })).toEqual([
      { ...tie, granted: role },
    ]);
    expect(matched({ teammates: [jane], people, policy: granting })).toEqual([{ ...tie, granted: role }]);
  });

  it.each<[string, Case]>([
    ['nobody of the directory', { people: {} }],
    ['two people', { people: { 'jane@acme.com': [{}, { directoryId: 'other' }] } }],
    ['somebody suspended', { people: { 'jane@acme.com': [{ standing: 'suspended' }] } }],
    ['somebody who left', { people: { 'jane@acme.com': [{ standing: 'inactive' }] } }],
    ['somebody without the app', { people: { 'jane@acme.com': [{ assigned: false }] } }],
    ['somebody in no group that grants access', { policy: granting, links: [link] }],
    ['somebody whose groups were not listed', { people: { 'jane@acme.com': [{ groups: null }] }, policy: granting }],
  ])('are not made to %s', (_, one) => {
    expect(matched({ teammates: [jane], ...one })).toEqual([]);
  });

  it('are not made inside a subuser', () => {
    expect(matched({ roster: subuser({ teammates: [jane] }) })).toEqual([]);
  });

  it('are not made where two teammates have the address, differing in case: both are ambiguous', () => {
    const found = compare({ teammates: [jane, teammate('JANE@acme.com')] });
    expect(found.matched).toEqual([]);
    expect(found.drift.map(({ kind }) => kind)).toEqual(['ambiguous', 'ambiguous']);
  });
});

describe('whoever is never touched is not compared', () => {
  it.each<[string, Case]>([
    ['the owner', { roster: { teammates: [owner('jane@acme.com')] } }],
    ['the principal behind the key', { teammates: [jane], roster: { ownUsername: 'jane@acme.com' } }],
    ['a protected address, in any case', { teammates: [jane], policy: { protect: ['JANE@acme.com'] } }],
    [
      'a protected username',
      { teammates: [teammate('jane@acme.com', { username: 'jdoe' })], policy: { protect: ['jdoe'] } },
    ],
    ['a protected invitation', { invitations: [invitation('jane@acme.com')], policy: { protect: ['jane@acme.com'] } }],
    [
      'a protected address inside a subuser',
      { roster: subuser({ teammates: [jane] }), policy: { protect: ['jane@acme.com'] } },
    ],
  ])('%s', (_, one) => {
    for (const people of [{}, { 'jane@acme.com': [{ standing: 'inactive' as const }] }]) {
      expect(compare({ ...one, people })).toEqual({ drift: [], matched: [] });
    }
  });

  it('but tied: who is renamed is still known, and nobody new is made for them', () => {
    const found = compare({ teammates: [owner('jane@acme.com')], people: { 'jane@acme.com': [{}] } });
    expect(found.drift).toEqual([]);
    expect(found.matched).toMatchObject([{ directoryId: '00u-jane', granted: null }]);
  });

  it('nobody is taken for the key’s principal where that is not known', () => {
    expect(kinds({ teammates: [jane], roster: { ownUsername: null }, people: {} })).toEqual(['orphan']);
  });
});

describe('a teammate under an address that is no longer theirs', () => {
  const moved: People = { 'jane.doe@acme.com': [{ assigned: true }], 'id okta 00u-jane': [{ assigned: true }] };
  const one = { teammates: [jane], links: [link], people: moved };

  it('is to be readdressed, which takes nothing from anybody', () => {
    expect(compare(one).drift).toMatchObject([{ kind: 'renamed', target: 'jane@acme.com', act: true, granted: true }]);
  });

  it('is only reported where rename is off', () => {
    const off = policy({ provisioning: { create: true, rescope: true, rename: false } });
    expect(compare({ ...one, policy: { provisioning: off.provisioning } }).drift).toMatchObject([{ act: false }]);
  });

  it('is as it should be as a password teammate, or without a tie somebody unknown', () => {
    expect(kinds({ ...one, teammates: [teammate('jane@acme.com', { sso: false })] })).toEqual([]);
    expect(kinds({ ...one, links: [] })).toEqual(['orphan']);
  });
});
