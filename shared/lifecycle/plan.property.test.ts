import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { account, directoryPerson, invitation, policy, roster, teammate } from '#test/support/situation.js';
import { restrictedAccess, sameAccess } from './access.js';
import { canonicalAddress } from './address.js';
import { belongingKinds } from './belonging.js';
import { gate } from './gate.js';
import { plan } from './plan.js';
import type { Situation } from './situation.js';
import {
  type Access,
  type ActionDraft,
  isRemoval,
  type Policy,
  type Role,
  type Roster,
  type Teammate,
  twilioAccount,
} from './types.js';

// A small world of few addresses, so that collisions of every kind come up.
const address = fc.constantFrom(
  'jane@acme.com',
  'Jane@acme.com',
  'jane+mkt@acme.com',
  'jd@acme.com',
  'kim@acme.com',
  'owner@acme.com',
);
const boss = 'boss@acme.com';
const treatment = fc.constantFrom('delete' as const, 'restrict' as const, 'keep' as const);
const mode = fc.constantFrom('observe' as const, 'approve' as const, 'enforce' as const);
const accounts = ['a', 'b', 'c'];
const anyAccount = fc.constantFrom(...accounts);
const subusers = [
  { id: 7, name: 'eu' },
  { id: 9, name: 'us' },
];
const place = fc.constantFrom(null, 'eu', 'us');
const username = address.chain((email) => fc.constantFrom(email, `u-${email}`));
const hour = 3_600_000;
const now = new Date('2026-11-25T12:00:00Z');
const least = restrictedAccess(['user.profile.read']);

const roles: Record<string, Role> = {
  boss: { kind: 'admin' },
  marketer: { kind: 'persona', persona: 'marketer' },
  reader: { kind: 'scopes', scopes: ['stats.read'] },
  brand: { kind: 'subusers', subusers: [{ name: 'eu', permission: 'restricted', scopes: ['stats.read'] }] },
  nowhere: { kind: 'subusers', subusers: [{ name: 'gone', permission: 'admin', scopes: [] }] },
};

const anyTeammate = fc
  .record({ email: address, admin: fc.boolean(), owner: fc.boolean(), sso: fc.boolean(), named: fc.boolean() })
  .map(({ email, admin, owner, sso, named }) =>
    teammate(email, {
      username: sso ? email : `u-${email}`,
      admin: admin || owner,
      userType: owner ? 'owner' : admin ? 'admin' : 'teammate',
      sso,
      lastName: named ? 'Doe' : 'Unknown',
    }),
  );

const people = {
  teammates: fc.uniqueArray(anyTeammate, { maxLength: 4, selector: (mate) => mate.username }),
  invitations: fc.array(
    fc.tuple(address, fc.boolean()).map(([email, admin]) => invitation(email, { admin })),
    { maxLength: 3 },
  ),
};

const anySubuser = (one: (typeof subusers)[number]) =>
  fc.option(
    fc.record({ ...people, email: address }).map((inside) => ({ ...one, ...inside })),
    { nil: null },
  );

const anyRoster = (name: string): fc.Arbitrary<Roster> =>
  fc
    .record({
      ...people,
      accessRequests: fc.uniqueArray(
        fc.record({
          id: fc.constantFrom('1', '2', '3'),
          username,
          email: fc.oneof(address, fc.constant('')),
          scopeGroup: fc.constant('Mail'),
        }),
        { maxLength: 2, selector: ({ id }) => id },
      ),
      subusers: fc.tuple(...subusers.map(anySubuser)).map((list) => list.filter((one) => one !== null)),
      belongings: fc.uniqueArray(
        fc.record({
          kind: fc.constantFrom(...belongingKinds),
          id: fc.constantFrom('1', '2'),
          label: fc.constant('Something'),
          addresses: fc.array(address, { maxLength: 3 }),
          subuser: place,
        }),
        { maxLength: 3, selector: ({ kind, id, subuser }) => `${kind} ${id} ${subuser}` },
      ),
      keys: fc.uniqueArray(
        fc.record({
          subuser: place,
          id: fc.constantFrom('k1', 'k2', 'own'),
          name: fc.constantFrom('jane-laptop', 'jd-ci', 'production', 'kim-laptop'),
        }),
        { maxLength: 3, selector: ({ id, subuser }) => `${id} ${subuser}` },
      ),
      ownUsername: fc.option(username, { nil: null }),
      ownKeyId: fc.constantFrom('own', null),
    })
    .map((parts) => ({ ...roster(name, []), ...parts, subuserIds: subusers }));

const anyAccess: fc.Arbitrary<Access> = fc.oneof(
  fc.constant<Access>({ admin: true, scopes: [], subusers: null }),
  fc.record({
    admin: fc.constant(false),
    scopes: fc.subarray(['mail.send', 'stats.read']),
    subusers: fc.constant(null),
  }),
  fc.constant<Access>({
    admin: false,
    scopes: [],
    subusers: [{ id: 7, permission: 'restricted', scopes: ['stats.read'] }],
  }),
);

const somewhere = fc.record({ account: anyAccount, subuser: place, username });
const byPlace = (one: { account: string; subuser: string | null; username: string }) =>
  `${one.account} ${one.subuser} ${one.username}`;

const anyPolicy: fc.Arbitrary<Policy> = fc
  .record({
    terminated: treatment,
    suspended: treatment,
    unassigned: treatment,
    graceMs: fc.constantFrom(0, 48 * hour),
    apiKeys: fc.record({
      match: fc.constant('^{local}[-_. ]'),
      action: fc.constantFrom('report' as const, 'revoke' as const),
      registered: fc.constantFrom('revoke' as const, 'successor' as const),
    }),
    protect: fc.array(address, { maxLength: 1 }),
    modes: fc.tuple(...accounts.map(() => mode)),
    identities: fc.tuple(...accounts.map(() => fc.constantFrom('{email}', '{local}+mkt@{domain}'))),
    sso: fc.boolean(),
    grants: fc.array(
      fc.record({
        group: fc.constantFrom('G', 'H'),
        account: anyAccount,
        role: fc.constantFrom(...Object.keys(roles)),
      }),
      { maxLength: 5 },
    ),
    provisioning: fc.record({ create: fc.boolean(), rescope: fc.boolean(), rename: fc.boolean() }),
    twilio: fc.option(fc.record({ mode }), { nil: null }),
  })
  .map(({ protect, modes, identities, sso, grants, provisioning, twilio, ...offboarding }) =>
    policy({
      accounts: accounts.map((name, index) =>
        account(name, { mode: modes[index] ?? 'observe', identity: identities[index] ?? '{email}', sso }),
      ),
      roles,
      grants,
      provisioning,
      offboarding: { ...policy().offboarding, ...offboarding },
      protect,
      twilio,
    }),
  );

function matesOf(rosters: Roster[]): { account: string; subuser: string | null; username: string }[] {
  return rosters.flatMap((one) =>
    [{ name: null, teammates: one.teammates }, ...one.subusers].flatMap(({ name, teammates }) =>
      teammates.map((mate) => ({ account: one.account, subuser: name, username: mate.username })),
    ),
  );
}

function tieOf(rosters: Roster[], which: number | null): { account: string; username: string }[] {
  const mates = matesOf(rosters).filter(({ subuser }) => subuser === null);
  const mate = which === null ? undefined : mates[which % Math.max(1, mates.length)];
  return mate === undefined ? [] : [{ account: mate.account, username: mate.username }];
}

const anySituation: fc.Arbitrary<Situation> = fc
  .record({
    emails: fc.uniqueArray(address, { minLength: 1, maxLength: 2, selector: canonicalAddress }),
    standing: fc.constantFrom(
      'active' as const,
      'active' as const,
      'active' as const,
      'suspended' as const,
      'inactive' as const,
      'gone' as const,
      'unlisted' as const,
    ),
    groups: fc.subarray(['g', 'H']),
    assigned: fc.constantFrom(true, true, false, null),
    ordered: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
    orphan: fc.boolean(),
    leavingSince: fc.constantFrom(null, new Date(now.getTime() - hour), new Date(now.getTime() - 100 * hour)),
    eventType: fc.constantFrom('terminated' as const, 'unassigned' as const, 'moved' as const, null),
    rosters: fc.tuple(...accounts.map(anyRoster)),
    unreadable: fc.subarray(accounts),
    links: fc.array(fc.record({ account: anyAccount, username }), { maxLength: 2 }),
    // A tie is to somebody who was there, whatever their address is now.
    tied: fc.option(fc.nat(8), { nil: null }),
    foreignLinks: fc.array(fc.record({ account: anyAccount, username }), { maxLength: 1 }),
    arrivals: fc.array(fc.record({ account: anyAccount, username }), { maxLength: 1 }),
    sharedAddresses: fc.array(address.map(canonicalAddress), { maxLength: 1 }),
    restrictions: fc.uniqueArray(
      fc.tuple(somewhere, anyAccess).map(([where, before]) => ({ ...where, before })),
      { maxLength: 2, selector: byPlace },
    ),
    // What is known of the teammates, in their order; of some nothing is.
    read: fc.array(fc.option(anyAccess, { nil: null }), { minLength: 3, maxLength: 7 }),
    successor: fc.constantFrom({ email: boss, why: 'manager' }, { email: null, why: 'nobody' }),
    restore: fc.uniqueArray(
      fc.record({
        recordId: fc.uuid(),
        account: anyAccount,
        subuser: place,
        email: address,
        firstName: fc.constant('Jane'),
        lastName: fc.constant('Doe'),
        sso: fc.boolean(),
        access: anyAccess,
        accessRead: fc.boolean(),
      }),
      { maxLength: 2, selector: (one) => `${one.account} ${one.subuser} ${canonicalAddress(one.email)}` },
    ),
    registeredKeys: fc.uniqueArray(
      fc.record({
        account: anyAccount,
        subuser: place,
        id: fc.constantFrom('k1', 'k2', 'own'),
        name: fc.constant('as registered'),
        owner: address.map(canonicalAddress),
        onLeave: fc.constantFrom(null, 'revoke' as const, 'successor' as const),
      }),
      { maxLength: 3, selector: (one) => `${one.account} ${one.subuser} ${one.id}` },
    ),
    twilio: fc.option(fc.record({ id: fc.constant('US1'), userName: address, active: fc.boolean() }), { nil: null }),
  })
  .map(({ emails, standing, assigned, groups, ordered, rosters, unreadable, links, tied, read, restore, ...rest }) => ({
    now,
    person: {
      id: 'p',
      directoryId: 'd',
      emails: emails.map(canonicalAddress),
      links: [...links, ...tieOf(rosters, tied)],
    },
    evidence:
      standing === 'gone' || standing === 'unlisted'
        ? { kind: standing }
        : { kind: 'found' as const, person: directoryPerson(standing, { emails, assigned, groups }) },
    order: ordered ? { proposed: false, by: 'operator:root', reason: null, at: new Date(0) } : null,
    rosters: rosters.filter((one) => !unreadable.includes(one.account)),
    unread: unreadable.map((name) => ({ account: name, part: null, reason: 'HTTP 500', retryMs: 30_000 })),
    known: matesOf(rosters).flatMap((mate, index) => {
      const access = read[index % read.length] ?? null;
      return access === null ? [] : [{ ...mate, access }];
    }),
    applied: [],
    // Under an address that they still have: who goes by another now is somebody else to this planner.
    restore: restore.filter((one) => emails.some((email) => canonicalAddress(email) === canonicalAddress(one.email))),
    ...rest,
  }));

/** SendGrid after an action: the model that the emulator and the real thing must agree with. */
function apply(situation: Situation, action: ActionDraft): Situation {
  const { account: name, subuser, target } = action;
  const here = (one: { account: string; subuser: string | null }) => one.account === name && one.subuser === subuser;
  const inRoster = (change: (one: Roster) => Partial<Roster>): Situation => ({
    ...situation,
    rosters: situation.rosters.map((one) => (one.account === name ? { ...one, ...change(one) } : one)),
  });
  const inPlace = (change: (one: Pick<Roster, 'teammates' | 'invitations'>) => Partial<Roster>): Situation =>
    inRoster((one) =>
      subuser === null
        ? change(one)
        : { subusers: one.subusers.map((two) => (two.name === subuser ? { ...two, ...change(two) } : two)) },
    );
  const ofMate = (change: Partial<Teammate>) =>
    inPlace(({ teammates }) => ({
      teammates: teammates.map((mate) => (mate.username === target ? { ...mate, ...change } : mate)),
    }));
  const closed = situation.restrictions.filter((one) => !here(one) || one.username !== target);
  const withKnown = (after: Situation, access: Access): Situation => ({
    ...after,
    known: [
      ...after.known.filter((one) => !here(one) || one.username !== target),
      { account: name, subuser, username: target, access },
    ],
  });
  switch (action.kind) {
    case 'deprovision':
      if (action.footprint === 'access-request')
        return inRoster(({ accessRequests }) => ({ accessRequests: accessRequests.filter(({ id }) => id !== target) }));
      if (action.footprint === 'invitation')
        return inPlace(({ invitations }) => ({
          invitations: invitations.filter(({ email }) => canonicalAddress(email) !== target),
        }));
      return {
        ...inPlace(({ teammates }) => ({ teammates: teammates.filter((mate) => mate.username !== target) })),
        restrictions: closed,
      };
    case 'restrict': {
      const open = situation.restrictions.find((one) => here(one) && one.username === target);
      const before = situation.known.find((one) => here(one) && one.username === target)?.access ?? least;
      const one = open ?? { account: name, subuser, username: target, before };
      return withKnown(
        { ...ofMate({ admin: false, userType: 'teammate' }), restrictions: [...closed, one] },
        action.wanted,
      );
    }
    case 'restore':
    case 'rescope': {
      const { admin } = action.wanted;
      const after = ofMate({ admin, userType: admin ? 'admin' : 'teammate' });
      return withKnown({ ...after, restrictions: closed }, action.wanted);
    }
    case 'retire':
      return {
        ...inPlace(({ teammates }) => ({ teammates: teammates.filter((mate) => mate.username !== target) })),
        restrictions: closed,
      };
    case 'rename':
      return ofMate({ firstName: action.firstName, lastName: action.lastName });
    case 'provision': {
      const { sso, firstName, lastName, wanted, email } = action;
      const { admin } = wanted;
      // Whoever is invited has yet to accept; the SSO endpoints know the parent only (sendgrid.md §2).
      const isThere = placeOf(situation, action)?.teammates.some((mate) => mate.email === email) === true;
      const made = isThere
        ? ofMate({ admin, userType: admin ? 'admin' : 'teammate' })
        : sso && subuser === null
          ? inPlace(({ teammates }) => ({
              teammates: [
                ...teammates,
                teammate(email, { admin, userType: admin ? 'admin' : 'teammate', firstName, lastName }),
              ],
            }))
          : inPlace(({ invitations }) => ({ invitations: [...invitations, invitation(email, { admin })] }));
      const restore = situation.restore.filter(({ recordId }) => recordId !== action.recordId);
      // Whoever is made anew is not restricted any more.
      return withKnown({ ...made, restore, restrictions: closed }, wanted);
    }
    case 'reassign':
      return inRoster(({ belongings }) => ({
        belongings: belongings.map((one) =>
          one.kind === action.footprint && one.id === target && one.subuser === subuser
            ? {
                ...one,
                addresses: [
                  ...one.addresses.filter((email) => !action.from.includes(canonicalAddress(email))),
                  ...(action.to === null ? [] : [action.to]),
                ],
              }
            : one,
        ),
      }));
    case 'revoke':
      return inRoster(({ keys }) => ({ keys: keys.filter((one) => one.id !== target || one.subuser !== subuser) }));
    case 'hand-over':
      return {
        ...situation,
        registeredKeys: situation.registeredKeys.map((one) =>
          here(one) && one.id === target ? { ...one, owner: action.to } : one,
        ),
      };
    case 'deactivate':
      return { ...situation, twilio: situation.twilio === null ? null : { ...situation.twilio, active: false } };
  }
}

/** What of an account is this person's, worked out a second time and more simply than the planner does. */
function theirs(situation: Situation, p: Policy, name: string) {
  const identity = p.accounts.find((one) => one.name === name)?.identity;
  const filled = (email: string) => (identity === '{email}' ? email : email.replace('@', '+mkt@'));
  const addresses = new Set(situation.person.emails.flatMap((email) => [email, filled(email)]));
  const shared = new Set(situation.sharedAddresses.flatMap((email) => [email, filled(email)]));
  const isLinked = (list: { account: string; username: string }[], who: string) =>
    list.some((link) => link.account === name && link.username === who);
  return {
    has: (email: string) => addresses.has(canonicalAddress(email)),
    isShared: (email: string) => shared.has(canonicalAddress(email)),
    isLinked: (who: string) => isLinked(situation.person.links, who),
    isForeign: (who: string) => isLinked(situation.foreignLinks, who),
    filled,
  };
}

/** The place that an action is about. */
function placeOf(situation: Situation, action: ActionDraft) {
  const here = situation.rosters.find((one) => one.account === action.account);
  return action.subuser === null ? here : here?.subusers.find((one) => one.name === action.subuser);
}

function mateOf(situation: Situation, action: ActionDraft): Teammate | undefined {
  if (action.footprint !== 'teammate' || action.kind === 'provision') return undefined;
  return placeOf(situation, action)?.teammates.find((mate) => mate.username === action.target);
}

/** What the person's groups give them in an account; undefined: no grant names the account. */
function roleOf(situation: Situation, p: Policy, name: string): string | null | undefined {
  const here = p.grants.filter((grant) => grant.account === name);
  if (here.length === 0) return undefined;
  if (situation.evidence.kind !== 'found') return null;
  const groups = situation.evidence.person.groups.map((group) => group.toLowerCase());
  return here.find((grant) => groups.includes(grant.group.toLowerCase()))?.role ?? null;
}

function isActive(situation: Situation): boolean {
  const { evidence, order } = situation;
  if (order !== null || evidence.kind !== 'found') return false;
  return evidence.person.standing === 'active' && evidence.person.assigned !== false;
}

const runs = { numRuns: 1_000 };

describe('shared/lifecycle/plan, whatever the situation', () => {
  it('plans the same from the same situation in any order', () => {
    fc.assert(
      fc.property(anySituation, anyPolicy, fc.nat(), (situation, p, seed) => {
        const mixed = <T>(list: T[]): T[] => mix(list, seed);
        const people = <T extends Pick<Roster, 'teammates' | 'invitations'>>(one: T): T => ({
          ...one,
          teammates: mixed(one.teammates),
          invitations: mixed(one.invitations),
        });
        const shuffled: Situation = {
          ...situation,
          person: { ...situation.person, links: mixed(situation.person.links) },
          rosters: mixed(situation.rosters).map((one) => ({
            ...people(one),
            accessRequests: mixed(one.accessRequests),
            subusers: mixed(one.subusers).map(people),
            subuserIds: mixed(one.subuserIds),
            belongings: mixed(one.belongings).map((two) => ({ ...two, addresses: mixed(two.addresses) })),
            keys: mixed(one.keys),
          })),
          unread: mixed(situation.unread),
          restrictions: mixed(situation.restrictions),
          restore: mixed(situation.restore),
          known: mixed(situation.known),
          registeredKeys: mixed(situation.registeredKeys),
          arrivals: mixed(situation.arrivals),
          foreignLinks: mixed(situation.foreignLinks),
        };
        expect(plan(shuffled, p)).toEqual(plan(situation, p));
      }),
      runs,
    );
  });

  it('has nothing left to do once a plan was applied', () => {
    fc.assert(
      fc.property(anySituation, anyPolicy, (situation, p) => {
        // A restriction can be the only trace of a grant that is lost: with its end, an ordered return is no removal.
        fc.pre(situation.restore.length === 0 || situation.restrictions.length === 0);
        const changed = new Set<string>();
        let [state, wishes] = [situation, plan(situation, p).actions];
        for (let round = 0; round < 3 && wishes.length > 0; round += 1) {
          // One thing at a time for each teammate: a role follows a return from a record, a new name follows new access.
          for (const { kind, account: name, email } of round === 0 ? [] : wishes) {
            // Whoever was given back what a restriction took may get another address then.
            expect(['rescope', 'rename', 'provision', 'retire']).toContain(kind);
            const follows =
              kind === 'provision' || kind === 'retire'
                ? [...changed].some((one) => one.startsWith(name))
                : changed.has(`${name} ${email}`);
            expect(follows).toBe(true);
          }
          changed.clear();
          for (const one of wishes) {
            // A role can't be compared with access that was not read: until then what was taken is given back.
            const isFirst = ['rescope', 'restore'].includes(one.kind);
            if (isFirst || (one.kind === 'provision' && one.recordId !== null))
              changed.add(`${one.account} ${one.email}`);
          }
          state = wishes.reduce(apply, state);
          wishes = plan(state, p).actions;
        }
        expect(wishes).toEqual([]);
      }),
      runs,
    );
  });

  it('asks for nothing twice', () => {
    fc.assert(
      fc.property(anySituation, anyPolicy, (situation, p) => {
        const wishes = plan(situation, p)
          .actions.map((a) => ({ ...a, about: a.kind === 'rename' ? 'name' : a.footprint }))
          .map((a) => ({ ...a, target: a.kind === 'provision' ? canonicalAddress(a.target) : a.target }))
          .map((a) => `${a.account} ${a.subuser} ${a.about} ${a.target}`);
        expect(new Set(wishes).size).toBe(wishes.length);
      }),
      runs,
    );
  });

  it('never names a protected person, the owner, the key’s principal or the key itself', () => {
    fc.assert(
      fc.property(anySituation, anyPolicy, (situation, p) => {
        const protectedOnes = p.protect.map(canonicalAddress);
        for (const action of plan(situation, p).actions) {
          const here = situation.rosters.find((one) => one.account === action.account);
          expect(protectedOnes).not.toContain(canonicalAddress(action.email));
          expect(protectedOnes).not.toContain(canonicalAddress(action.target));
          expect(protectedOnes.some((entry) => situation.person.emails.includes(entry))).toBe(false);
          if (action.footprint === 'api-key') expect(action.target).not.toBe(here?.ownKeyId);
          if (action.footprint !== 'teammate' || action.kind === 'provision') continue;
          expect(action.target).not.toBe(here?.ownUsername);
          expect(mateOf(situation, action)?.userType).not.toBe('owner');
        }
      }),
      runs,
    );
  });

  it('takes nothing from an active person who has the app and, where groups decide, a grant', () => {
    fc.assert(
      fc.property(anySituation, anyPolicy, (situation, p) => {
        fc.pre(isActive(situation));
        for (const action of plan(situation, p).actions) {
          if (roleOf(situation, p, action.account) === null) continue;
          expect(isRemoval(action)).toBe(false);
          expect(['restore', 'rescope', 'rename', 'provision', 'retire']).toContain(action.kind);
        }
      }),
      runs,
    );
  });

  it('takes nothing that belongs to whoever still works here', () => {
    fc.assert(
      fc.property(anySituation, anyPolicy, (situation, p) => {
        const draft = plan(situation, p);
        fc.pre(draft.verdict !== 'leaver');
        const handedOver = ['reassign', 'revoke', 'hand-over', 'deactivate'];
        expect(draft.actions.filter(({ kind }) => handedOver.includes(kind))).toEqual([]);
        expect(draft.todos).toEqual([]);
      }),
      runs,
    );
  });

  it('gives nothing that neither a group, nor a restriction, nor an ordered record says', () => {
    fc.assert(
      fc.property(anySituation, anyPolicy, (situation, p) => {
        for (const action of plan(situation, p).actions) {
          if (action.kind === 'restore') {
            const { account: name, subuser, target, wanted } = action;
            expect(situation.restrictions).toContainEqual({ account: name, subuser, username: target, before: wanted });
          } else if (action.kind === 'rescope') {
            expect(p.provisioning.rescope).toBe(true);
            expect(roleOf(situation, p, action.account)).toBe(action.role);
          } else if (action.kind === 'provision' && action.recordId !== null) {
            const record = situation.restore.find(({ recordId }) => recordId === action.recordId);
            expect(record).toMatchObject({ account: action.account, subuser: action.subuser, access: action.wanted });
          } else if (action.kind === 'provision' && action.replaces !== null) {
            expect(p.provisioning.rename).toBe(true);
            const old = placeOf(situation, action)?.teammates.find((mate) => mate.username === action.replaces);
            const { access } =
              situation.known.find(
                (one) => one.account === action.account && one.username === old?.username && one.subuser === null,
              ) ?? {};
            if (roleOf(situation, p, action.account) == null || !p.provisioning.rescope)
              expect(action.wanted).toEqual(access);
          } else if (action.kind === 'provision') {
            expect(p.provisioning.create).toBe(true);
            expect(roleOf(situation, p, action.account)).toEqual(expect.any(String));
          }
        }
      }),
      runs,
    );
  });

  it('retires only an SSO teammate under an address that is none of theirs, and names whom they have become', () => {
    fc.assert(
      fc.property(anySituation, anyPolicy, (situation, p) => {
        const { actions } = plan(situation, p);
        for (const action of actions) {
          if (action.kind !== 'retire') continue;
          expect(isActive(situation) && p.provisioning.rename).toBe(true);
          expect(theirs(situation, p, action.account).has(action.email)).toBe(false);
          expect(mateOf(situation, action)?.sso).toBe(true);
          const heir = placeOf(situation, action)?.teammates.find((mate) => mate.username === action.heir);
          const isMade = actions.some((one) => one.kind === 'provision' && one.target === (heir?.email ?? action.heir));
          expect(isMade || heir !== undefined).toBe(true);
          expect(heir === undefined || theirs(situation, p, action.account).has(heir.email)).toBe(true);
        }
      }),
      runs,
    );
  });

  it('plans nothing for an account or a subuser that was not read', () => {
    fc.assert(
      fc.property(anySituation, anyPolicy, (situation, p) => {
        for (const action of plan(situation, p).actions) {
          if (action.account === twilioAccount) continue;
          const here = situation.rosters.find((one) => one.account === action.account);
          expect(here).toBeDefined();
          if (action.footprint !== 'teammate' && action.footprint !== 'invitation') continue;
          expect(placeOf(situation, action)).toBeDefined();
        }
      }),
      runs,
    );
  });

  it('touches only what is theirs, by address or by link', () => {
    fc.assert(
      fc.property(anySituation, anyPolicy, (situation, p) => {
        for (const action of plan(situation, p).actions) {
          const { account: name, subuser, target } = action;
          const their = theirs(situation, p, name);
          const here = situation.rosters.find((one) => one.account === name);
          const isTheirMate = (inside: string | null, mate: Teammate) =>
            their.has(mate.email) || (inside === null && their.isLinked(mate.username));
          const is = (): boolean => {
            if (action.kind === 'provision') {
              const [first = ''] = situation.person.emails;
              const records = situation.restore.filter((one) => one.account === name && one.subuser === subuser);
              return canonicalAddress(target) === their.filled(first) || records.some(({ email }) => email === target);
            }
            if (action.kind === 'reassign') {
              const [one] = (here?.belongings ?? []).filter(
                (two) => two.kind === action.footprint && two.id === target && two.subuser === subuser,
              );
              const carried = one?.addresses.map(canonicalAddress) ?? [];
              return (
                action.from.length > 0 && action.from.every((email) => their.has(email) && carried.includes(email))
              );
            }
            if (action.kind === 'revoke' || action.kind === 'hand-over') {
              const entry = situation.registeredKeys.find(
                (one) => one.account === name && one.subuser === subuser && one.id === target,
              );
              const key = here?.keys.find((one) => one.id === target && one.subuser === subuser);
              if (entry !== undefined) return situation.person.emails.includes(entry.owner);
              const locals = situation.person.emails.map((email) => email.split('@')[0]);
              return locals.some((local) => key?.name.startsWith(`${local}-`));
            }
            if (action.footprint === 'access-request') {
              const request = here?.accessRequests.find(({ id }) => id === target);
              const mates = [
                ...(here?.teammates ?? []).filter((mate) => isTheirMate(null, mate)),
                ...(here?.subusers ?? []).flatMap((one) => one.teammates.filter((mate) => isTheirMate(one.name, mate))),
              ];
              return their.has(request?.email ?? '') || mates.some((mate) => mate.username === request?.username);
            }
            if (action.footprint === 'invitation') return their.has(target);
            if (action.footprint === 'twilio-user') return target === situation.twilio?.id;
            const mate = mateOf(situation, action);
            return mate !== undefined && isTheirMate(subuser, mate);
          };
          expect(is(), JSON.stringify(action)).toBe(true);
        }
      }),
      runs,
    );
  });

  it('lets nothing go that is doubtful, and nothing at all where the mode is not enforce', () => {
    fc.assert(
      fc.property(anySituation, anyPolicy, (situation, p) => {
        const draft = plan(situation, p);
        const present = Array.from({ length: 9 }, (_, n) => `admin-${n}`);
        const admins = accounts.map((name) => ({ account: name, present, leaving: [] }));
        const { passages } = gate(draft, p, { admins, removals: [], run: [] });
        draft.actions.forEach((action, index) => {
          if (passages[index] !== 'go') return;
          if (action.account === twilioAccount) {
            expect(p.twilio?.mode).toBe('enforce');
            expect(situation.sharedAddresses).toEqual([]);
            return;
          }
          expect(p.accounts.find(({ name }) => name === action.account)?.mode).toBe('enforce');
          const their = theirs(situation, p, action.account);
          if (action.footprint === 'invitation') expect(their.isShared(action.target)).toBe(false);
          if (action.kind === 'reassign' || action.footprint === 'api-key') {
            expect(situation.sharedAddresses).toEqual([]);
          }
          const mate = mateOf(situation, action);
          if (mate === undefined) return;
          const twins = placeOf(situation, action)?.teammates.filter(
            (other) => canonicalAddress(other.email) === canonicalAddress(mate.email),
          );
          expect(twins).toHaveLength(1);
          expect(their.isShared(mate.email)).toBe(false);
          if (action.subuser === null) expect(their.isForeign(mate.username)).toBe(false);
        });
      }),
      runs,
    );
  });

  it('restricts to exactly the configured scopes, and deletes nobody before the grace period has passed', () => {
    fc.assert(
      fc.property(anySituation, anyPolicy, (situation, p) => {
        const draft = plan(situation, p);
        const since = (situation.leavingSince ?? now).getTime();
        const isWaiting = draft.verdict !== 'suspended' && since + p.offboarding.graceMs > now.getTime();
        for (const action of draft.actions) {
          if (action.kind === 'restrict') expect(sameAccess(action.wanted, least)).toBe(true);
          if (action.kind === 'deprovision' && action.footprint === 'teammate') expect(isWaiting).toBe(false);
        }
      }),
      runs,
    );
  });

  it('meets every kind of action that there is', () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(anySituation, anyPolicy, (situation, p) => {
        for (const { kind, footprint } of plan(situation, p).actions) met.add(`${kind} ${footprint}`);
      }),
      { numRuns: 3_000, seed: 1 },
    );
    const teammates = ['deprovision', 'restrict', 'restore', 'rescope', 'rename', 'provision', 'retire'];
    const expected = [
      ...teammates.map((kind) => `${kind} teammate`),
      ...belongingKinds.map((kind) => `reassign ${kind}`),
      ...['deprovision invitation', 'deprovision access-request', 'revoke api-key', 'hand-over api-key'],
      'deactivate twilio-user',
    ];
    expect([...met].sort()).toEqual(expected.sort());
  });
});

/** Another order of the same: turned, and for odd seeds backwards. */
function mix<T>(list: T[], seed: number): T[] {
  const at = list.length === 0 ? 0 : seed % list.length;
  const turned = [...list.slice(at), ...list.slice(0, at)];
  return seed % 2 === 0 ? turned : turned.reverse();
}
