import type { Belonging, BelongingKind } from './belonging.js';

// The dictionary of docs/glossary.md as types. Everything here is plain, serialisable data.

export const lifecycleEventTypes = [
  'joined',
  'moved',
  'renamed',
  'suspended',
  'reactivated',
  'terminated',
  'assigned',
  'unassigned',
] as const;
export type LifecycleEventType = (typeof lifecycleEventTypes)[number];

/** A person as a sender names them. At least one of the two is known. */
export interface PersonRef {
  directoryId: string | null;
  email: string | null;
}

/** What one entry of a delivery turned out to be, after `normalize`. */
export type NormalizedEntry = {
  /** The sender's id of this entry: with the source it is unique in the inbox. */
  eventId: string;
  occurredAt: Date | null;
  /** The entry as it was sent, kept as evidence. */
  raw: string;
} & (
  | { outcome: 'event'; type: LifecycleEventType; senderType: string; person: PersonRef }
  | {
      outcome: 'ignored';
      senderType: string;
      reason: string;
      /** That whatever lies under this address be removed is put to a human. */
      proposes?: { email: string; reason: string };
    }
  | { outcome: 'quarantined'; senderType: string | null; reason: string }
);

export type Standing = 'active' | 'suspended' | 'inactive';

/** One human as the directory gives them now. */
export interface DirectoryPerson {
  directoryId: string;
  standing: Standing;
  /** Every address the directory gives, primary first, as written there. */
  emails: string[];
  firstName: string | null;
  lastName: string | null;
  manager: PersonRef | null;
  /** Names of the groups the person is in. */
  groups: string[];
  /** Is the configured app assigned to them? null when no app is configured. */
  assigned: boolean | null;
}

/** A stored tie between a person and a teammate, made while the person was seen active and the match was unique. */
export interface Link {
  account: string;
  username: string;
}

/** One human as Sendoff knows them. */
export interface Person {
  id: string;
  directoryId: string | null;
  emails: string[];
  links: Link[];
}

/** What a teammate may do in an account's parent. `scopes` holds no managed scope (sendgrid.md §6.3) and is sorted. */
export interface Access {
  admin: boolean;
  scopes: string[];
  /** null: not confined to subusers. */
  subusers: SubuserAccess[] | null;
}

export interface SubuserAccess {
  id: number;
  permission: 'admin' | 'restricted';
  scopes: string[];
}

export interface Teammate {
  username: string;
  email: string;
  userType: 'owner' | 'admin' | 'teammate';
  admin: boolean;
  sso: boolean;
  firstName: string | null;
  lastName: string | null;
}

export interface Invitation {
  email: string;
  admin: boolean;
  expiresAt: Date | null;
}

/** A colleague's wish for more scopes; approving it would give access (sendgrid.md §5). */
export interface AccessRequest {
  id: string;
  username: string;
  email: string;
  scopeGroup: string;
}

/** A subuser with who can act inside it, as last read. */
export interface SubuserRoster {
  id: number;
  name: string;
  /** The contact address; it may be a person's (sendgrid.md §7). */
  email: string;
  teammates: Teammate[];
  invitations: Invitation[];
}

/** An API key. SendGrid tells neither who made it nor when (sendgrid.md §1.2). */
export interface ApiKey {
  subuser: string | null;
  id: string;
  name: string;
}

/** An account's footprints as last read. Its lists are whole, or it is not a roster: see `Unread`. */
export interface Roster {
  account: string;
  readAt: Date;
  teammates: Teammate[];
  invitations: Invitation[];
  accessRequests: AccessRequest[];
  /** Those that are swept and could be read. */
  subusers: SubuserRoster[];
  /** Every subuser of the account, swept or not: roles name them. */
  subuserIds: { id: number; name: string }[];
  /** What carries addresses; read for leavers only. */
  belongings: (Belonging & { subuser: string | null })[];
  /** Read for leavers only. */
  keys: ApiKey[];
  /** Parts that could not be read. */
  unread: Unread[];
  /** Username of the principal behind the configured key; null when the key may not read it. */
  ownUsername: string | null;
  /** Id of the configured key itself. */
  ownKeyId: string | null;
}

/** An account, or a part of one, that could not be read whole. Never the same as "nobody is there". */
export interface Unread {
  account: string;
  /** null: the account's own teammates and invitations. */
  part: string | null;
  reason: string;
  /** When it is worth trying again. null: SendGrid refuses it, and goes on doing so. */
  retryMs: number | null;
}

export type Mode = 'observe' | 'approve' | 'enforce';

export interface AccountPolicy {
  name: string;
  mode: Mode;
  sso: boolean;
  /** Template of the address the IdP asserts here: `{email}`, `{local}`, `{domain}`. */
  identity: string;
  /** Which subusers are swept. */
  subusers: 'all' | 'none' | string[];
}

export type Persona = 'accountant' | 'developer' | 'marketer' | 'observer';

/** A named set of access: one of SendGrid's four forms (sendgrid.md §4). */
export type Role =
  | { kind: 'admin' }
  | { kind: 'persona'; persona: Persona }
  | { kind: 'scopes'; scopes: string[] }
  /** By subuser name. */
  | { kind: 'subusers'; subusers: { name: string; permission: 'admin' | 'restricted'; scopes: string[] }[] };

export interface Grant {
  group: string;
  account: string;
  role: string;
}

/** Who receives what a leaver owned: an address, or the manager by the directory, or nobody. */
export type SuccessorPolicy = string | 'manager' | 'none';

/** The configuration as the planner and the gate need it. */
export interface Policy {
  accounts: AccountPolicy[];
  roles: Record<string, Role>;
  grants: Grant[];
  offboarding: {
    terminated: Treatment;
    suspended: Treatment;
    unassigned: Treatment;
    restrictTo: string[];
    graceMs: number;
    /** After a deletion was proven, it is looked at once more so long afterwards; 0: not. */
    recheckMs: number;
    successor: SuccessorPolicy;
    /** Stand above `successor` for members of a group; the first that matches. */
    successors: { group: string; successor: string }[];
    reassign: BelongingKind[];
    apiKeys: { match: string; action: 'report' | 'revoke'; registered: 'revoke' | 'successor' };
  };
  provisioning: { create: boolean; rescope: boolean; rename: boolean };
  protect: string[];
  limits: { admins: number; removals: RemovalLimit; runShare: number };
  approvals: { approvers: string[]; expireMs: number };
  reconcile: { everyMs: number; orphans: 'report' | 'remove' };
  /** The optional second target; null: not configured. */
  twilio: { mode: Mode } | null;
}

export type Treatment = 'delete' | 'restrict' | 'keep';

/** People per account and rolling window: min(max, max(floor, share x teammates)). */
export interface RemovalLimit {
  floor: number;
  share: number;
  max: number;
  windowMs: number;
}

/** Twilio's place in drafts and lists, where SendGrid accounts have their name. No account can be called so. */
export const twilioAccount = 'targets.twilio';

/** An operator's fact that stands against the directory until it is cancelled. */
export interface OperatorOrder {
  /** true: nobody who may order it has; everything that follows from it waits for a human. */
  proposed: boolean;
  by: string;
  reason: string | null;
  at: Date;
}

/** What is known of a person's standing. "Unknown" is not among them: who doesn't know does not plan. */
export type Evidence = { kind: 'found'; person: DirectoryPerson } | { kind: 'gone' } | { kind: 'unlisted' };

/** A teammate whom Sendoff itself restricted, with the access they had before. */
export interface Restriction {
  account: string;
  subuser: string | null;
  username: string;
  before: Access;
}

/** A teammate or invitation that Sendoff deleted and can bring back. */
export interface Removed {
  recordId: string;
  account: string;
  subuser: string | null;
  email: string;
  firstName: string | null;
  lastName: string | null;
  sso: boolean;
  access: Access;
  /** false: they may have been confined to subusers, which was not read; `access` then says more than they had. */
  accessRead: boolean;
}

/** An entry of the key register. */
export interface RegisteredKey {
  account: string;
  subuser: string | null;
  id: string;
  name: string;
  /** Lower-case. */
  owner: string;
  /** null: as `offboarding.apiKeys.registered` says. */
  onLeave: 'revoke' | 'successor' | null;
}

/** A Twilio user as last read. */
export interface TwilioAccess {
  id: string;
  userName: string;
  active: boolean;
}

export type ActionKind =
  | 'deprovision'
  | 'restrict'
  | 'restore'
  | 'rescope'
  | 'rename'
  | 'provision'
  | 'retire'
  | 'reassign'
  | 'revoke'
  | 'hand-over'
  | 'deactivate';
export type FootprintKind = 'teammate' | 'invitation' | 'access-request' | 'api-key' | 'twilio-user' | BelongingKind;

/** One wanted condition in one account, and why. */
export type ActionDraft = {
  account: string;
  /** null: in the parent. */
  subuser: string | null;
  /** Teammate: the username. Invitation: the address. Everything else: SendGrid's id. */
  target: string;
  /** The address the footprint carries, for people to read. */
  email: string;
  /** Does the footprint hold full access now? The gate counts admins by it. */
  admin: boolean;
  reason: string;
} /** `confined`: they may be confined to subusers, which a record of them must hold. */ & (
  | { kind: 'deprovision'; footprint: 'teammate'; confined: boolean }
  | { kind: 'deprovision'; footprint: 'invitation' | 'access-request' }
  | { kind: 'restrict'; footprint: 'teammate'; wanted: Access }
  | { kind: 'restore'; footprint: 'teammate'; wanted: Access }
  | { kind: 'rescope'; footprint: 'teammate'; wanted: Access; persona: Persona | null; role: string }
  | { kind: 'rename'; footprint: 'teammate'; firstName: string; lastName: string }
  | {
      kind: 'provision';
      footprint: 'teammate';
      sso: boolean;
      firstName: string | null;
      lastName: string | null;
      wanted: Access;
      persona: Persona | null;
      /** The restore record that it is made from. */
      recordId: string | null;
      /** The teammate under an address that is no longer the person's, whose place this one takes. */
      replaces: string | null;
    }
  /** The teammate under an address that is no longer theirs goes; `heir` is whom they have become, and `wanted` what that one must have by then. */
  | { kind: 'retire'; footprint: 'teammate'; heir: string; wanted: Access; persona: Persona | null }
  /** `to`: null takes the address out and puts nobody in its place. */
  | { kind: 'reassign'; footprint: BelongingKind; label: string; from: string[]; to: string | null }
  | { kind: 'revoke'; footprint: 'api-key'; label: string }
  | { kind: 'hand-over'; footprint: 'api-key'; label: string; to: string }
  | { kind: 'deactivate'; footprint: 'twilio-user' }
);

/** What was seen at a target: a teammate's access, or the fields that matter of anything else. */
export type Snapshot = Access | { fields: Record<string, string> };

/** Does it take access away from a person? Limits count these. */
export function isRemoval({ kind, footprint }: Pick<ActionDraft, 'kind' | 'footprint'>): boolean {
  return kind === 'restrict' || (kind === 'deprovision' && footprint !== 'access-request');
}

/** Who has afterwards what the target had; null: nobody. */
export function heirIn(draft: ActionDraft): string | null {
  return 'to' in draft ? draft.to : 'heir' in draft ? draft.heir : null;
}

export type GuardRule =
  | 'protected'
  | 'owner'
  | 'own-key'
  | 'ambiguous'
  | 'last-admin'
  | 'mode-approve'
  | 'mode-observe'
  | 'removal-limit'
  | 'run-limit'
  /** So many are to be readdressed at once that the directory or the configuration may be wrong. */
  | 'move-limit'
  | 'snapshot'
  | 'role'
  | 'unsupported'
  /** Nobody who may order it has. */
  | 'proposed';

/** Something that stood in the way of a change, and what it stood in front of. */
export interface Guard {
  rule: GuardRule;
  account: string;
  target: string | null;
  detail: string;
}

export type Verdict = 'leaver' | 'suspended' | 'unassigned' | 'keep';

/** What must change for one person: the planner's answer, before the gate. */
export interface PlanDraft {
  verdict: Verdict;
  reasons: string[];
  actions: ActionDraft[];
  /** Footprints that are never touched. */
  refused: Guard[];
  /** Accounts in which a human must decide first. */
  holds: Guard[];
  unread: Unread[];
  /** What no API can change and somebody has to do by hand. */
  todos: Todo[];
  /** When the person must be planned again even if nothing happens: the end of a grace period. */
  nextAt: Date | null;
}

/** A task for the operator. */
export interface Todo {
  account: string;
  text: string;
}

export const planStates = [
  'planned',
  'held',
  'approved',
  'rejected',
  'applying',
  'waiting',
  'settled',
  'superseded',
  'expired',
] as const;
export type PlanState = (typeof planStates)[number];

export const actionStates = [
  'ready',
  'executing',
  'unknown',
  'waiting',
  'done',
  'noop',
  'refused',
  'failed',
  'superseded',
] as const;
export type ActionState = (typeof actionStates)[number];

export const eventStates = ['received', 'queued', 'waiting', 'done', 'ignored', 'quarantined', 'dead'] as const;
export type EventState = (typeof eventStates)[number];
