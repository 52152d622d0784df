import { describe, expect, it } from 'vitest';
import {
  account,
  admin,
  directoryPerson,
  invitation,
  owner,
  policy,
  roster,
  situation,
  teammate,
} from '#test/support/situation.js';
import { plan } from './plan.js';
import type { Situation } from './situation.js';
import type { Policy, Standing } from './types.js';

const jane = teammate('jane@acme.com');
const least = { admin: false, scopes: ['user.profile.read'], subusers: null };

function actionsOf(s: Situation, p: Policy = policy()) {
  return plan(s, p).actions.map((a) => `${a.kind} ${a.footprint} ${a.target}`);
}

describe('shared/lifecycle/plan', () => {
  describe('what the evidence leads to', () => {
    it.each<[string, Standing | 'gone', string[]]>([
      ['a deactivated person is removed', 'inactive', ['deprovision teammate jane@acme.com']],
      ['a person the directory no longer knows is removed', 'gone', ['deprovision teammate jane@acme.com']],
      ['a suspended person is restricted', 'suspended', ['restrict teammate jane@acme.com']],
      ['an active person is left alone, whatever the event said', 'active', []],
    ])('%s', (_, standing, expected) => {
      expect(actionsOf(situation(standing, [roster('marketing', [jane])]))).toEqual(expected);
    });

    it.each([
      ['delete', ['deprovision teammate jane@acme.com']],
      ['restrict', ['restrict teammate jane@acme.com']],
      ['keep', []],
    ] as const)('offboarding.terminated: %s decides for leavers', (terminated, expected) => {
      const p = policy({ offboarding: { ...policy().offboarding, terminated } });
      expect(actionsOf(situation('inactive', [roster('marketing', [jane])]), p)).toEqual(expected);
    });

    it('an operator’s order stands against an active directory entry', () => {
      const order = { proposed: false, by: 'operator:root', reason: 'security', at: new Date(0) };
      const draft = plan(situation('active', [roster('marketing', [jane])], { order }), policy());
      expect(draft.verdict).toBe('leaver');
      expect(draft.actions).toHaveLength(1);
      expect(draft.reasons[0]).toBe('Ordered off by operator:root: security');
    });

    it('somebody the directory does not list and nobody ordered off is left alone', () => {
      expect(actionsOf(situation('active', [roster('marketing', [jane])], { evidence: { kind: 'unlisted' } }))).toEqual(
        [],
      );
    });
  });

  describe('the app’s assignment', () => {
    const unassigned = { kind: 'found' as const, person: directoryPerson('active', { assigned: false }) };

    it('removes an active person whom an event says the app was taken from', () => {
      const s = situation('active', [roster('marketing', [jane])], { evidence: unassigned, eventType: 'unassigned' });
      expect(actionsOf(s)).toEqual(['deprovision teammate jane@acme.com']);
    });

    it('removes an active person without the app who was linked while they had it', () => {
      const s = situation('active', [roster('marketing', [jane])], { evidence: unassigned, eventType: 'moved' });
      s.person.links = [{ account: 'marketing', username: 'jane@acme.com' }];
      expect(actionsOf(s)).toEqual(['deprovision teammate jane@acme.com']);
    });

    it('reports, and does not remove, a teammate whom the app never covered', () => {
      const s = situation('active', [roster('marketing', [jane])], { evidence: unassigned, eventType: 'moved' });
      const draft = plan(s, policy());
      expect(draft.actions).toEqual([]);
      expect(draft.reasons.join()).toContain('drift');
    });

    it('counts for nothing while no app is configured', () => {
      expect(actionsOf(situation('active', [roster('marketing', [jane])], { eventType: 'unassigned' }))).toEqual([]);
    });
  });

  describe('finding the person', () => {
    it.each([
      ['in another case', 'Jane@ACME.com', true],
      ['with a plus tag', 'jane+x@acme.com', false],
      ['with a dot more', 'j.ane@acme.com', false],
      ['at another domain', 'jane@acme.co', false],
    ])('an address %s: found is %s', (_, email, found) => {
      const s = situation('inactive', [roster('marketing', [teammate(email, { username: 'u' })])]);
      expect(actionsOf(s)).toEqual(found ? ['deprovision teammate u'] : []);
    });

    it('uses every address of the directory and the account’s identity template', () => {
      const p = policy({ accounts: [account('marketing', { identity: '{local}+mkt@{domain}' })] });
      const s = situation('inactive', [roster('marketing', [teammate('jd+mkt@acme.com'), teammate('jane@acme.com')])], {
        evidence: { kind: 'found', person: directoryPerson('inactive') },
      });
      s.person.emails = ['jane@acme.com', 'jd@acme.com'];
      expect(actionsOf(s, p)).toEqual(['deprovision teammate jane@acme.com', 'deprovision teammate jd+mkt@acme.com']);
    });

    it('follows a stored link when the address has changed', () => {
      const s = situation('inactive', [roster('marketing', [teammate('old@acme.com', { username: 'jdoe' })])]);
      s.person.links = [{ account: 'marketing', username: 'jdoe' }];
      expect(actionsOf(s)).toEqual(['deprovision teammate jdoe']);
    });

    it('removes pending invitations, one action for each address', () => {
      const invitations = [invitation('JANE@acme.com'), invitation('jane@acme.com'), invitation('other@acme.com')];
      expect(actionsOf(situation('suspended', [roster('marketing', [], { invitations })]))).toEqual([
        'deprovision invitation jane@acme.com',
      ]);
    });

    it('plans for every account that was read and names those that were not', () => {
      const p = policy({ accounts: [account('a'), account('b'), account('c')] });
      const s = situation('inactive', [roster('b', [jane]), roster('a', [jane])], {
        unread: [{ account: 'c', part: null, reason: 'HTTP 500', retryMs: 30_000 }],
      });
      const draft = plan(s, p);
      expect(draft.actions.map((a) => a.account)).toEqual(['a', 'b']);
      expect(draft.unread).toEqual([{ account: 'c', part: null, reason: 'HTTP 500', retryMs: 30_000 }]);
    });
  });

  it('plans the same in whatever order requests, subusers and unread parts were listed', () => {
    const listed = {
      accessRequests: ['31', '32'].map((id) => ({ id, username: '', email: 'jane@acme.com', scopeGroup: 'Mail' })),
      subusers: ['eu', 'us'].map((name, id) => ({ id, name, email: 'jane@acme.com', teammates: [], invitations: [] })),
      unread: ['alert', 'sender'].map((part) => ({ account: 'marketing', part, reason: 'HTTP 403', retryMs: null })),
    };
    const turned = {
      accessRequests: listed.accessRequests.toReversed(),
      subusers: listed.subusers.toReversed(),
      unread: listed.unread.toReversed(),
    };
    const planOf = (parts: typeof listed) =>
      plan(situation('inactive', [roster('marketing', [jane], parts)]), policy());
    expect(planOf(turned)).toEqual(planOf(listed));
  });

  describe('what is held because it is doubtful', () => {
    const doubtful = (s: Situation) => plan(s, policy()).holds.map((hold) => hold.rule);

    it('two teammates whose addresses differ only in case', () => {
      const twins = [teammate('jane@acme.com'), teammate('Jane@acme.com')];
      expect(doubtful(situation('inactive', [roster('marketing', twins)]))).toEqual(['ambiguous', 'ambiguous']);
    });

    it('an address that the directory has under two ids', () => {
      const s = situation('inactive', [roster('marketing', [jane])], { sharedAddresses: ['jane@acme.com'] });
      expect(doubtful(s)).toEqual(['ambiguous']);
    });

    it('a teammate who is linked to somebody else', () => {
      const s = situation('inactive', [roster('marketing', [jane])], {
        foreignLinks: [{ account: 'marketing', username: 'jane@acme.com' }],
      });
      expect(doubtful(s)).toEqual(['ambiguous']);
    });

    it('a request for more access by a teammate who is linked to somebody else', () => {
      const accessRequests = [{ id: '31', username: 'jane@acme.com', email: '', scopeGroup: 'Mail' }];
      const s = situation('inactive', [roster('marketing', [jane], { accessRequests })], {
        foreignLinks: [{ account: 'marketing', username: 'jane@acme.com' }],
      });
      expect(plan(s, policy()).holds.map((hold) => hold.target)).toContain('31');
    });

    it('not a teammate inside a subuser who is called like somebody else’s in the parent', () => {
      const subusers = [{ id: 7, name: 'eu', email: '', teammates: [jane], invitations: [] }];
      const s = situation('inactive', [roster('marketing', [], { subusers })], {
        foreignLinks: [{ account: 'marketing', username: 'jane@acme.com' }],
      });
      expect(doubtful(s)).toEqual([]);
    });

    it('nothing of an active person: there is nothing to hold', () => {
      const s = situation('active', [roster('marketing', [jane])], { sharedAddresses: ['jane@acme.com'] });
      expect(doubtful(s)).toEqual([]);
    });
  });

  describe('who is never touched', () => {
    it.each<[string, Partial<Policy>, Parameters<typeof roster>[2], string]>([
      ['protected by address, in any case', { protect: ['JANE@acme.com'] }, {}, 'protected'],
      ['the principal behind the key', {}, { ownUsername: 'jane@acme.com' }, 'own-key'],
    ])('%s', (_, p, r, rule) => {
      const draft = plan(situation('inactive', [roster('marketing', [jane], r)]), policy(p));
      expect(draft.actions).toEqual([]);
      expect(draft.refused.map((guard) => guard.rule)).toEqual([rule]);
    });

    it('protected by another address of theirs than the one that is found', () => {
      const s = situation('inactive', [roster('marketing', [jane])]);
      s.person.emails = ['jane@acme.com', 'jd@acme.com'];
      const draft = plan(s, policy({ protect: ['jd@acme.com'] }));
      expect(draft).toMatchObject({ actions: [], refused: [{ rule: 'protected' }] });
    });

    it('the account’s owner', () => {
      const s = situation('inactive', [{ ...roster('marketing', []), teammates: [owner('jane@acme.com')] }]);
      const draft = plan(s, policy());
      expect(draft.actions).toEqual([]);
      expect(draft.refused.map((guard) => guard.rule)).toEqual(['owner']);
    });
  });

  describe('restrict and restore', () => {
    const before = { admin: true, scopes: [], subusers: null };

    it('does not restrict again who was just read back as restricted', () => {
      const known = [{ account: 'marketing', subuser: null, username: 'jane@acme.com', access: least }];
      expect(actionsOf(situation('suspended', [roster('marketing', [jane])], { known }))).toEqual([]);
    });

    it('restricts an admin to no admin', () => {
      const [action] = plan(situation('suspended', [roster('marketing', [admin('jane@acme.com')])]), policy()).actions;
      expect(action).toMatchObject({ kind: 'restrict', wanted: least, admin: true });
    });

    it('gives back on return what Sendoff itself had taken', () => {
      const restrictions = [{ account: 'marketing', subuser: null, username: 'jane@acme.com', before }];
      const [action] = plan(situation('active', [roster('marketing', [jane])], { restrictions }), policy()).actions;
      expect(action).toMatchObject({ kind: 'restore', wanted: before });
    });

    it('gives nothing back to who returns without the app', () => {
      const s = situation('active', [roster('marketing', [jane])], {
        evidence: { kind: 'found', person: directoryPerson('active', { assigned: false }) },
        restrictions: [{ account: 'marketing', subuser: null, username: 'jane@acme.com', before }],
      });
      expect(actionsOf(s)).toEqual(['deprovision teammate jane@acme.com']);
    });
  });
});
