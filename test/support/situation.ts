import { belongingKinds } from '#shared/lifecycle/belonging.js';
import type { Situation } from '#shared/lifecycle/situation.js';
import type {
  AccountPolicy,
  DirectoryPerson,
  Invitation,
  Policy,
  Roster,
  Standing,
  Teammate,
} from '#shared/lifecycle/types.js';

// A builder that states a situation in the domain's words. Everything not said is the quiet default.

export function teammate(email: string, more: Partial<Teammate> = {}): Teammate {
  return {
    username: email,
    email,
    userType: 'teammate',
    admin: false,
    sso: true,
    firstName: 'Jane',
    lastName: 'Doe',
    ...more,
  };
}

export function owner(email = 'owner@acme.com'): Teammate {
  return teammate(email, { userType: 'owner', admin: true, sso: false, username: 'acme-owner' });
}

export function admin(email: string): Teammate {
  return teammate(email, { userType: 'admin', admin: true });
}

export function invitation(email: string, more: Partial<Invitation> = {}): Invitation {
  return { email, admin: false, expiresAt: null, ...more };
}

export function roster(account: string, teammates: Teammate[], more: Partial<Roster> = {}): Roster {
  return {
    account,
    readAt: new Date(0),
    teammates: [owner(), ...teammates],
    invitations: [],
    accessRequests: [],
    subusers: [],
    subuserIds: [],
    belongings: [],
    keys: [],
    unread: [],
    ownUsername: null,
    ownKeyId: null,
    ...more,
  };
}

export function account(name: string, more: Partial<AccountPolicy> = {}): AccountPolicy {
  return { name, mode: 'enforce', sso: true, identity: '{email}', subusers: 'all', ...more };
}

export function policy(more: Partial<Policy> = {}): Policy {
  return {
    accounts: [account('marketing')],
    roles: {},
    grants: [],
    offboarding: {
      terminated: 'delete',
      suspended: 'restrict',
      unassigned: 'delete',
      restrictTo: ['user.profile.read'],
      graceMs: 0,
      recheckMs: 0,
      successor: 'manager',
      successors: [],
      reassign: [...belongingKinds],
      apiKeys: { match: '^{local}[-_. ]', action: 'report', registered: 'revoke' },
    },
    provisioning: { create: false, rescope: true, rename: true },
    protect: [],
    limits: { admins: 2, removals: { floor: 3, share: 0.05, max: 20, windowMs: 86_400_000 }, runShare: 0.2 },
    approvals: { approvers: [], expireMs: 86_400_000 },
    reconcile: { everyMs: 3_600_000, orphans: 'report' },
    twilio: null,
    ...more,
  };
}

export function directoryPerson(standing: Standing, more: Partial<DirectoryPerson> = {}): DirectoryPerson {
  return {
    directoryId: '00u-jane',
    standing,
    emails: ['jane@acme.com'],
    firstName: 'Jane',
    lastName: 'Doe',
    manager: null,
    groups: [],
    assigned: null,
    ...more,
  };
}

/** Jane, as the directory gives her, and the rosters she may be found on. */
export function situation(standing: Standing | 'gone', rosters: Roster[], more: Partial<Situation> = {}): Situation {
  return {
    now: new Date('2026-11-25T12:00:00Z'),
    person: { id: 'p-jane', directoryId: '00u-jane', emails: ['jane@acme.com'], links: [] },
    evidence: standing === 'gone' ? { kind: 'gone' } : { kind: 'found', person: directoryPerson(standing) },
    order: null,
    orphan: false,
    leavingSince: null,
    eventType: 'terminated',
    rosters,
    unread: [],
    sharedAddresses: [],
    foreignLinks: [],
    restrictions: [],
    known: [],
    applied: [],
    successor: { email: null, why: 'the directory names no manager who is still there' },
    restore: [],
    registeredKeys: [],
    arrivals: [],
    twilio: null,
    ...more,
  };
}
