import { describe, expect, it } from 'vitest';
import { account, directoryPerson, policy, roster, situation, teammate } from '#test/support/situation.js';
import { gate } from '../gate.js';
import { plan } from '../plan.js';
import type { Situation } from '../situation.js';
import type { Access, Policy, Teammate } from '../types.js';

const sender: Access = { admin: false, scopes: ['mail.send'], subusers: null };
const guest: Access = { admin: false, scopes: ['stats.read'], subusers: null };
const old = teammate('jane@acme.com', { firstName: 'Jane', lastName: 'Roe' });
const young = teammate('jane.doe@acme.com');
const emails = ['jane.doe@acme.com'];
const granting: Partial<Policy> = {
  roles: { sender: { kind: 'scopes', scopes: ['mail.send', 'stats.read'] } },
  grants: [{ group: 'G', account: 'marketing', role: 'sender' }],
};

/** Jane, tied to `old`, whom the directory gives another address now. */
function renamed(teammates: Teammate[], may: Record<string, Access>, more: Partial<Situation> = {}): Situation {
  return situation('active', [roster('marketing', teammates)], {
    person: {
      id: 'p-jane',
      directoryId: '00u-jane',
      emails,
      links: [{ account: 'marketing', username: 'jane@acme.com' }],
    },
    evidence: { kind: 'found', person: directoryPerson('active', { emails, groups: ['G'] }) },
    known: Object.entries(may).map(([username, access]) => ({ account: 'marketing', subuser: null, username, access })),
    ...more,
  });
}

const lines = (one: Situation, p: Policy = policy()) =>
  plan(one, p).actions.map(({ kind, target }) => `${kind} ${target}`);
const mine = { 'jane@acme.com': sender };

describe('an SSO teammate whose address changed in the directory', () => {
  it('gets another one with the same access, and goes once that one is proven', () => {
    const [made, retired] = plan(renamed([old], mine), policy()).actions;
    expect(made).toMatchObject({
      kind: 'provision',
      target: 'jane.doe@acme.com',
      sso: true,
      firstName: 'Jane',
      lastName: 'Doe',
      wanted: sender,
      replaces: 'jane@acme.com',
    });
    expect(retired).toMatchObject({
      kind: 'retire',
      target: 'jane@acme.com',
      heir: 'jane.doe@acme.com',
      wanted: sender,
    });
  });

  it('gets what their groups grant, where groups say so', () => {
    const [made, retired] = plan(renamed([old], mine), policy(granting)).actions;
    const wanted = { admin: false, scopes: ['mail.send', 'stats.read'], subusers: null };
    expect(made).toMatchObject({ kind: 'provision', wanted });
    expect(retired).toMatchObject({ kind: 'retire', wanted });
  });

  it('is no removal: no limit of removals holds it, nor is anybody with full access lost by it', () => {
    const boss = { ...old, admin: true, userType: 'admin' as const };
    const draft = plan(renamed([boss], { 'jane@acme.com': { admin: true, scopes: [], subusers: null } }), policy());
    const removals = [{ account: 'marketing', people: 99, teammates: 10 }];
    const admins = [{ account: 'marketing', present: ['acme-owner', 'jane@acme.com'], leaving: [] }];
    expect(gate(draft, policy(), { admins, removals, run: [] }).passages).toEqual(['go', 'go']);
  });

  it('waits for a human when a comparison would readdress too many at once', () => {
    const run = [{ rule: 'move-limit' as const, account: 'marketing', target: null, detail: 'too many' }];
    const gated = gate(plan(renamed([old], mine), policy()), policy(), { admins: [], removals: [], run });
    expect(gated.state).toBe('held');
  });

  it('whom SendGrid let in again by itself under the new one is brought to the same access', () => {
    const both = renamed([old, young], { ...mine, 'jane.doe@acme.com': guest });
    expect(lines(both)).toEqual(['provision jane.doe@acme.com', 'retire jane@acme.com']);
    expect(lines(both, policy(granting))).toEqual(['retire jane@acme.com', 'rescope jane.doe@acme.com']);
  });

  it('who has the same under the new one already only goes', () => {
    expect(lines(renamed([old, young], { ...mine, 'jane.doe@acme.com': sender }))).toEqual(['retire jane@acme.com']);
  });

  it('is given back first what a suspension took', () => {
    const restrictions = [{ account: 'marketing', subuser: null, username: 'jane@acme.com', before: sender }];
    const first = { ...old, lastName: 'Doe' };
    expect(lines(renamed([first], { 'jane@acme.com': guest }, { restrictions }))).toEqual(['restore jane@acme.com']);
  });

  it.each<[string, Situation, Partial<Policy>, string]>([
    ['the old one’s access was not read', renamed([old], {}), {}, ''],
    ['rename is off', renamed([old], mine), { provisioning: { create: true, rescope: true, rename: false } }, 'is off'],
    ['a password teammate', renamed([{ ...old, sso: false }], mine), {}, ''],
    ['somebody protected', renamed([old], mine), { protect: ['jane@acme.com'] }, 'not touched: listed'],
    [
      'an account without SSO',
      renamed([old], mine),
      { accounts: [account('marketing', { sso: false })] },
      'sso is off',
    ],
    [
      'a human’s other choice under the new one',
      renamed([old, young], { ...mine, 'jane.doe@acme.com': { ...sender, scopes: ['templates.create'] } }),
      {},
      'a human has to say',
    ],
    [
      'two old ones',
      renamed([old, teammate('jr@acme.com')], mine, {
        person: {
          id: 'p-jane',
          directoryId: '00u-jane',
          emails,
          links: ['jane@acme.com', 'jr@acme.com'].map((username) => ({ account: 'marketing', username })),
        },
      }),
      {},
      'several teammates',
    ],
    [
      'an address that two ids have',
      renamed([old], mine, { sharedAddresses: ['jane.doe@acme.com'] }),
      {},
      'under two ids',
    ],
  ])('stays as they are: %s', (_, one, more, said) => {
    const draft = plan(one, policy(more));
    expect(draft.actions.map(({ kind }) => kind).filter((kind) => kind !== 'rename')).toEqual([]);
    expect([...draft.reasons, ...draft.refused.map(({ detail }) => detail)].join()).toContain(said);
  });

  it('is not deleted without a human when somebody else has the old address by now', () => {
    const one = renamed([old], mine, { sharedAddresses: ['jane@acme.com'] });
    const { passages } = gate(plan(one, policy()), policy(), { admins: [], removals: [], run: [] });
    expect(passages).toEqual(['go', 'hold']);
  });

  it('whose old address is still one of theirs is left alone: the provider may assert that one', () => {
    const both = ['jane.doe@acme.com', 'jane@acme.com'];
    const one = renamed([{ ...old, lastName: 'Doe' }], mine, {
      person: {
        id: 'p',
        directoryId: '00u-jane',
        emails: both,
        links: [{ account: 'marketing', username: 'jane@acme.com' }],
      },
      evidence: { kind: 'found', person: directoryPerson('active', { emails: both }) },
    });
    expect(plan(one, policy()).actions).toEqual([]);
  });
});
