import { describe, expect, it } from 'vitest';
import { directoryPerson, invitation, policy, roster, situation, teammate } from '#test/support/situation.js';
import { gate } from '../gate.js';
import { plan } from '../plan.js';
import type { Situation } from '../situation.js';
import type { Policy, Removed, Roster } from '../types.js';

const before = { admin: false, scopes: ['mail.send'], subusers: null };
const record = (more: Partial<Removed> = {}): Removed => ({
  recordId: 'r1',
  account: 'marketing',
  subuser: null,
  email: 'Jane@acme.com',
  firstName: 'Jane',
  lastName: 'Doe',
  sso: true,
  access: before,
  accessRead: true,
  ...more,
});
const back = (more: Partial<Roster> = {}, restore: Removed[] = [record()], rest: Partial<Situation> = {}) =>
  situation('active', [roster('marketing', [], more)], { restore, ...rest });
const targets = (s: Situation, p: Policy = policy()) =>
  plan(s, p).actions.map(({ kind, subuser, target }) => `${kind} ${subuser ?? '-'} ${target}`);
const place = (name: string, more: Partial<Roster['subusers'][number]> = {}) => ({
  id: 7,
  name,
  email: '',
  teammates: [],
  invitations: [],
  ...more,
});

describe('an ordered return', () => {
  it('makes them again from what was kept: under the same address, with the same access', () => {
    expect(plan(back(), policy()).actions).toEqual([
      {
        kind: 'provision',
        footprint: 'teammate',
        account: 'marketing',
        subuser: null,
        target: 'Jane@acme.com',
        email: 'Jane@acme.com',
        admin: false,
        reason: 'An operator ordered their access back',
        sso: true,
        firstName: 'Jane',
        lastName: 'Doe',
        wanted: before,
        persona: null,
        recordId: 'r1',
        replaces: null,
      },
    ]);
  });

  it('of which the record may say too much waits for a human', () => {
    const doubtful = plan(back({}, [record({ accessRead: false })]), policy());
    expect(gate(doubtful, policy(), { admins: [], removals: [], run: [] }).passages).toEqual(['hold']);
    expect(doubtful.holds[0]?.detail).toContain('confined to subusers');
  });

  it('into each place from which they were removed, and into no other', () => {
    const restore = [
      record(),
      record({ recordId: 'r2', subuser: 'eu', sso: false }),
      record({ recordId: 'r3', account: 'billing' }),
    ];
    expect(targets(back({ subusers: [place('eu'), place('us')] }, restore))).toEqual([
      'provision - Jane@acme.com',
      'provision eu Jane@acme.com',
    ]);
  });

  it.each<[string, Partial<Roster>]>([
    ['a teammate', { teammates: [teammate('JANE@acme.com', { username: 'u' })] }],
    ['a pending invitation', { invitations: [invitation('jane@ACME.com')] }],
  ])('leaves alone who is there already: %s', (_, more) => {
    expect(targets(back(more))).toEqual([]);
  });

  it('being in the parent is not being in the subuser, nor the other way round', () => {
    const there = teammate('jane@acme.com');
    const inside = [record({ subuser: 'eu' })];
    expect(targets(back({ teammates: [there], subusers: [place('eu')] }, inside))).toEqual([
      'provision eu Jane@acme.com',
    ]);
    expect(targets(back({ subusers: [place('eu', { teammates: [there] })] }))).toEqual(['provision - Jane@acme.com']);
    expect(targets(back({ subusers: [place('eu', { teammates: [there] })] }, inside))).toEqual([]);
  });

  it('makes nobody in a subuser that could not be read', () => {
    expect(targets(back({}, [record({ subuser: 'eu' })]))).toEqual([]);
  });

  it.each(['inactive', 'suspended', 'gone'] as const)('brings back nobody who is %s', (standing) => {
    const s = situation(standing, [roster('marketing', [])], { restore: [record()] });
    expect(targets(s)).toEqual([]);
  });

  it('nor anybody who left, where the policy keeps what leavers have', () => {
    const p = policy({ offboarding: { ...policy().offboarding, terminated: 'keep' } });
    expect(targets(situation('inactive', [roster('marketing', [])], { restore: [record()] }), p)).toEqual([]);
  });

  it('nor anybody against an order that stands, without the app, or without the grant of that account', () => {
    const order = { proposed: false, by: 'operator:root', reason: null, at: new Date(0) };
    expect(targets(back({}, [record()], { order }))).toEqual([]);
    const unassigned = { kind: 'found' as const, person: directoryPerson('active', { assigned: false }) };
    expect(targets(back({}, [record()], { evidence: unassigned, eventType: 'unassigned' }))).toEqual([]);
    const p = policy({ roles: { r: { kind: 'admin' } }, grants: [{ group: 'G', account: 'marketing', role: 'r' }] });
    expect(targets(back({}, [record()], { eventType: 'unassigned' }), p)).toEqual([]);
  });

  it('brings back who was ordered off and is in no directory', () => {
    expect(targets(back({}, [record()], { evidence: { kind: 'unlisted' } }))).toEqual(['provision - Jane@acme.com']);
  });

  it('does not bring back a protected person: they are not Sendoff’s to touch', () => {
    expect(plan(back(), policy({ protect: ['jane@acme.com'] }))).toMatchObject({
      actions: [],
      refused: [{ rule: 'protected' }],
    });
  });

  describe('of somebody whose groups grant a role', () => {
    const granting = (create: boolean): Policy =>
      policy({
        roles: { r: { kind: 'scopes', scopes: ['stats.read'] } },
        grants: [{ group: 'G', account: 'marketing', role: 'r' }],
        provisioning: { create, rescope: true, rename: true },
      });
    const evidence = { kind: 'found' as const, person: directoryPerson('active', { groups: ['G'] }) };

    it('starts from the record where joiners are not made', () => {
      expect(plan(back({}, [record()], { evidence }), granting(false)).actions).toMatchObject([
        { kind: 'provision', wanted: before, recordId: 'r1' },
      ]);
    });

    it('is one wish and not two where joiners are made: the role, not what the record holds', () => {
      expect(plan(back({}, [record()], { evidence }), granting(true)).actions).toMatchObject([
        { kind: 'provision', wanted: { scopes: ['stats.read'] } },
      ]);
    });
  });

  it('makes one teammate of two records of one address', () => {
    const restore = [record(), record({ recordId: 'r2', email: 'jane@acme.com' })];
    expect(targets(back({}, restore))).toHaveLength(1);
  });
});
