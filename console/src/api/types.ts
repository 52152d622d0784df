// What the API answers, as far as the pages use it: /api/openapi.json has all of it.

export interface Page<T> {
  items: T[];
  next: string | null;
}

export type Role = 'viewer' | 'operator' | 'approver' | 'admin';

export interface Me {
  actor: string;
  role: Role;
}

export interface PersonRef {
  id: string | null;
  email: string | null;
}

export interface Access {
  admin: boolean;
  scopes: string[];
  subusers: { id: number; permission: string; scopes: string[] }[] | null;
}

export type Snapshot = Access | { fields: Record<string, string> } | null;

export interface Action {
  id: string;
  planId: string;
  state: string;
  kind: string;
  footprint: string;
  account: string;
  subuser: string | null;
  target: string;
  label: string | null;
  to: string | null;
  person: PersonRef;
  reason: string;
  attempts: number;
  lastError: string | null;
  before: Snapshot;
  after: Snapshot;
  createdAt: string;
  finishedAt: string | null;
}

export interface Plan {
  id: string;
  state: string;
  verdict: 'leaver' | 'suspended' | 'unassigned' | 'keep';
  person: PersonRef;
  cause: { source: string; eventId: string; event: string };
  reasons: string[];
  actions: Action[];
  refused: { rule: string; account: string; target: string | null; detail: string }[];
  notRead: { account: string; part: string | null; reason: string; retryMs: number | null }[];
  todos: { account: string; text: string }[];
  hold: { reasons: string[]; setHash: string | null; expiresAt: string | null } | null;
  createdAt: string;
  settledAt: string | null;
  lastError: string | null;
}

export interface Person {
  id: string;
  directory: string;
  directoryId: string | null;
  email: string | null;
  emails: string[];
  firstName: string | null;
  lastName: string | null;
  seenAt: string | null;
  leavingSince: string | null;
  createdAt: string;
}

export interface Footprint {
  account: string;
  subuser: string | null;
  footprint: string;
  target: string;
  email: string;
  admin: boolean;
  readAt: string;
}

export interface Step {
  at: string;
  kind: 'event' | 'plan' | 'action';
  id: string;
  state: string;
  what: string;
  account: string | null;
}

export interface Order {
  id: string;
  state: 'standing' | 'cancelled';
  email: string;
  by: string;
  reason: string | null;
  orderedAt: string;
  effectiveAt: string;
  cancelledBy: string | null;
  cancelledAt: string | null;
}

export interface Todo {
  planId: string;
  person: PersonRef;
  account: string;
  text: string;
  since: string;
}

export interface PersonDetail extends Person {
  managerEmail: string | null;
  groups: string[];
  links: { account: string; username: string; linkedAt: string }[];
  footprints: Footprint[];
  plans: Plan[];
  actions: Action[];
  timeline: Step[];
  todos: Todo[];
  orders: Order[];
  restorable: { account: string; subuser: string | null; email: string }[];
}

export interface Stop {
  scope: string;
  by: string;
  reason: string | null;
  at: string;
}

export interface Account {
  account: string;
  mode: 'observe' | 'approve' | 'enforce';
  sso: boolean;
  readAt: string | null;
  teammates: number;
  invitations: number;
  seatsUsed: number;
  breaker: { openedAt: string; reason: string } | null;
  stop: Stop | null;
}

export interface Source {
  source: string;
  type: string;
  authority: boolean;
  lastEventAt: string | null;
  tasks: { task: string; lastOkAt: string | null; lastError: string | null; failures: number }[];
  subscriptions: { id: string; kind: string; createdAt: string; expiresAt: string | null; problem: string | null }[];
}

export interface Times {
  count: number;
  p50Seconds: number | null;
  p95Seconds: number | null;
  withinSla: number;
}

export interface Overview {
  at: string;
  events: Record<string, number>;
  plans: Record<string, number>;
  actions: Record<string, number>;
  oldestUnfinishedSeconds: number | null;
  todos: number;
  audit: { unsequenced: number };
  workerAlive: boolean;
  drift: { at: string | null; differ: number; unannounced: number } | null;
  sla: { seconds: number };
  timeToDeprovision: Times & { days: (Times & { day: string })[] };
  accounts: Account[];
  sources: Source[];
}

export interface Event {
  id: string;
  state: string;
  source: string;
  eventId: string;
  type: string | null;
  person: PersonRef | null;
  receivedAt: string;
  occurredAt: string | null;
  reason: string | null;
  attempts: number;
  lastError: string | null;
}

export interface EventDetail extends Event {
  directoryId: string | null;
  raw: string;
  plans: string[];
}

export interface Failure {
  id: string;
  state: string;
  what: string;
  person: PersonRef | null;
  at: string;
}

export interface Cause {
  id: string;
  kind: 'action' | 'event';
  place: string;
  text: string;
  count: number;
  replayable: number;
  newestAt: string;
  examples: Failure[];
}

export interface Replay {
  id: string;
  state: 'waiting' | 'running' | 'done' | 'aborted';
  filter: Record<string, string>;
  by: string;
  requestedAt: string;
  count: number;
  started: number;
  done: number;
  abortedBy: string | null;
  finishedAt: string | null;
}

export interface Alert {
  id: string;
  kind: string;
  title: string;
  remedy: string;
  openedAt: string;
}

export interface RosterItem {
  id: string;
  state: 'teammate' | 'invitation';
  person: { id: string | null; email: string };
  username: string | null;
  name: string | null;
  userType: string | null;
  admin: boolean;
  sso: boolean;
  expiresAt: string | null;
  flags: string[];
}

export interface Key {
  account: string;
  subuser: string | null;
  id: string;
  name: string;
  state: 'registered' | 'unattributed' | 'gone';
  owner: string | null;
  onLeave: string | null;
  firstSeenAt: string;
}

export interface AuditRecord {
  id: string;
  seq: number | null;
  at: string;
  kind: string;
  account: string | null;
  person: PersonRef | null;
  action: { kind: string; footprint: string; target: string | null } | null;
  actor: string;
  detail: Record<string, unknown> | null;
  personal: Record<string, string> | null;
}

export interface AuditState {
  records: number;
  unsequenced: number;
  checkpoint: { size: number; signedAt: string; publicKey: string } | null;
  exportedAt: string | null;
  verification: {
    state: 'running' | 'done';
    by: string;
    startedAt: string;
    finishedAt: string | null;
    result:
      | { ok: true; records: number }
      | { ok: false; defect: string; firstBadSeq: number | null; detail: string }
      | null;
  } | null;
}
