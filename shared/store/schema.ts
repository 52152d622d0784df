import type { ColumnType, Generated } from 'kysely';
import type { Role } from '#shared/access/roles.js';
import type { AlertKind } from '#shared/alerts/alert.js';
import type {
  Access,
  ActionDraft,
  ActionKind,
  ActionState,
  EventState,
  FootprintKind,
  Guard,
  LifecycleEventType,
  PersonRef,
  PlanState,
  Snapshot,
  Todo,
  Unread,
  Verdict,
} from '#shared/lifecycle/types.js';

// The tables, in the words of lifecycle/types.ts. Migrations are the truth; this file follows them.

type Json<T> = ColumnType<T, string, string>;
type Stamp = ColumnType<Date, Date | string | undefined, Date | string>;

/** What the queue and the sweeper need of a row that stands for work (queue/relay.ts). */
interface Work {
  /** How often it was put on the queue; part of the job's id. */
  round: Generated<number>;
  /** When the sweeper looks at it again. null: nothing is due (finished, or waits for a human). */
  due_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  attempts: Generated<number>;
  last_error: string | null;
}

export interface PersonTable {
  id: Generated<string>;
  directory: string;
  directory_id: string | null;
  /** Lower-case, primary first. */
  emails: string[];
  first_name: string | null;
  last_name: string | null;
  /** What the directory last said of them while it still knew: a leaver's groups and manager are often gone. */
  manager_email: string | null;
  groups: Generated<string[]>;
  /** Since when they have been leaving without a break: the grace period counts from here. */
  leaving_since: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  /** When the directory last showed this id: it may be "gone" only after that, or by an event that names it. */
  seen_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  /** Rises whenever a planning begins; a plan made from an older reading is discarded. */
  version: Generated<number>;
  created_at: Stamp;
}

export interface LinkTable {
  person_id: string;
  account: string;
  username: string;
  linked_at: Stamp;
}

export interface OperatorOrderTable {
  id: Generated<string>;
  /** Lower-case. An order names an address, so it stands before and after the directory knows the person. */
  email: string;
  ordered_by: string;
  reason: string | null;
  ordered_at: Stamp;
  /** It stands from then on. */
  effective_at: Stamp;
  /** It stands only once a human has approved it. */
  proposed: Generated<boolean>;
  cancelled_by: string | null;
  cancelled_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
}

export interface InboxTable extends Work {
  id: Generated<string>;
  /** Order of arrival, for lists and cursors. */
  seq: Generated<string>;
  source: string;
  event_id: string;
  type: LifecycleEventType | null;
  sender_type: string | null;
  person_ref: Json<PersonRef> | null;
  person_id: string | null;
  occurred_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  received_at: Stamp;
  /** The entry as it was sent. */
  raw: Buffer;
  state: EventState;
  /** Why it is ignored, quarantined, waiting or dead. */
  reason: string | null;
  /** The page of a catch-up that brought it; null: it was pushed, or ordered. */
  run: ColumnType<string | null, string | null | undefined, never>;
  /** The span that took it in; null: its trace begins with its first job. */
  traceparent: Generated<string | null>;
}

export interface RosterTable {
  account: string;
  part: 'teammates' | 'invitations' | 'own-user' | 'access-requests' | 'subusers' | 'belongings' | 'keys';
  items: Json<unknown> | null;
  /** Of a list: how many there are. */
  length: ColumnType<number | null, never, never>;
  /** Start of the reading that gave `items`: they show what was true from then on at the earliest. */
  read_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  /** Readings that may still be made at once, as of `tokens_at`; null: all of them. */
  tokens: number | null;
  tokens_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  /** One reader at a time: lease of the reading under way. */
  reading_until: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
}

export interface AccountTable {
  name: string;
  /** Set while SendGrid refuses the key (401): work waits, a probe closes it. */
  breaker_opened_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  breaker_reason: string | null;
  probed_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
}

export interface PaceTable {
  account: string;
  /** Method and path template: SendGrid's limits are per endpoint (sendgrid.md §2). */
  endpoint: string;
  /** X-RateLimit-Limit, null until the first answer. */
  quota: number | null;
  remaining: number | null;
  reset_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
}

export interface PlanTable extends Work {
  id: Generated<string>;
  seq: Generated<string>;
  person_id: string;
  event_id: string;
  person_version: number;
  verdict: Verdict;
  reasons: Json<string[]>;
  refused: Json<Guard[]>;
  holds: Json<Guard[]>;
  unread: Json<Unread[]>;
  todos: ColumnType<Todo[], string | undefined, string>;
  state: PlanState;
  /** Hash of the exact set of held actions, which an approval must name. */
  set_hash: string | null;
  hold_expires_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  /** When the directory was read for it: too old, and the person is planned anew instead of acted upon. */
  evidence_at: Stamp;
  /** When its event was received: from then on the time to deprovision counts. */
  heard_at: Stamp;
  created_at: Stamp;
  settled_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  /** When a settled plan is looked at once more; null: it was, or need not be. */
  recheck_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  /** The span that made it: its actions and its settling belong to that trace. */
  traceparent: Generated<string | null>;
}

export interface ActionTable extends Work {
  id: Generated<string>;
  seq: Generated<string>;
  plan_id: string;
  person_id: string;
  kind: ActionKind;
  footprint: FootprintKind;
  account: string;
  /** '': in the parent. */
  subuser: Generated<string>;
  target: string;
  /** Within one account of a plan, the lower stages are attempted before the higher ones. */
  stage: Generated<number>;
  /** When somebody outside was last asked to do their part. */
  reminded_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  draft: Json<ActionDraft>;
  state: ActionState;
  lease_owner: string | null;
  lease_until: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  fence: Generated<number>;
  before: Json<Snapshot | null> | null;
  after: Json<Snapshot | null> | null;
  created_at: Stamp;
  finished_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
}

export interface RestoreRecordTable {
  id: Generated<string>;
  person_id: string;
  action_id: string;
  account: string;
  /** '': in the parent. */
  subuser: Generated<string>;
  username: string;
  kind: 'deprovision' | 'restrict';
  record: Json<RestoreRecord>;
  created_at: Stamp;
  /** Set when the access was given back, or when a deletion made a restriction moot. */
  closed_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
}

/** What a teammate had before Sendoff took it away. */
export interface RestoreRecord {
  email: string;
  firstName: string | null;
  lastName: string | null;
  sso: boolean;
  access: Access;
  /** false: what they may do inside subusers could not be read, so `access` may say more than they had. */
  subusersRead: boolean;
}

/** A human's answer to a held plan. */
export interface DecisionTable {
  id: Generated<string>;
  plan_id: string;
  person_id: string;
  /** Of exactly the actions that were shown. */
  set_hash: string;
  answer: 'approved' | 'rejected';
  decided_by: string;
  reason: string | null;
  decided_at: Stamp;
  /** An approval is for now; a rejection stands until the facts change. */
  expires_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  void_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
}

/** Effects stand still while a row is there. */
export interface StopTable {
  /** An account's name, or `*`. */
  scope: string;
  stopped_by: string;
  reason: string | null;
  stopped_at: Stamp;
}

/** The key register, and when a key that nobody registered was first seen. */
export interface ApiKeyTable {
  account: string;
  /** '': of the parent. */
  subuser: Generated<string>;
  key_id: string;
  name: string;
  /** Lower-case address; null: seen, not registered. */
  owner: string | null;
  on_leave: 'revoke' | 'successor' | null;
  registered_by: string | null;
  registered_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  first_seen_at: Stamp;
  gone_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
}

export interface SeenTeammateTable {
  account: string;
  username: string;
  first_seen_at: Stamp;
}

export interface ReconcileRunTable {
  id: Generated<string>;
  seq: Generated<string>;
  mode: 'cheap' | 'deep';
  started_by: string;
  started_at: Stamp;
  /** Sign of life of the process that runs it. */
  seen_at: Stamp;
  finished_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  progress: ColumnType<{ done: number; of: number }, string | undefined, string>;
  /** How many people the directory listed. */
  people: number | null;
  summary: Json<unknown> | null;
}

export interface ProcessTable {
  id: string;
  role: string;
  host: string;
  pid: number;
  started_at: Stamp;
  seen_at: Stamp;
}

export interface ConsoleUserTable {
  id: Generated<string>;
  issuer: string;
  subject: string;
  /** What the audit trail calls them; nobody else is ever called so. */
  name: string;
  created_at: Stamp;
  signed_in_at: Stamp;
}

export interface SessionTable {
  /** SHA-256 of the cookie's value: a copy of the table opens no session. */
  id: Buffer;
  actor: string;
  created_at: Stamp;
  seen_at: Stamp;
  /** null: signed in by the admin token. */
  user_id: string | null;
  /** Of the groups that give a role, those they were in at sign-in. */
  groups: Generated<string[]>;
  /** When they last proved who they are. */
  proven_at: Stamp;
}

export interface ApiTokenTable {
  id: Generated<string>;
  name: string;
  role: Role;
  /** SHA-256 of the token: a copy of the table opens nothing. */
  hash: Buffer;
  created_by: string;
  created_at: Stamp;
  expires_at: Stamp;
  last_used_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  revoked_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  revoked_by: string | null;
}

export interface IdempotencyKeyTable {
  actor: string;
  key: string;
  request_hash: Buffer;
  /** null: the first request is not answered yet. */
  status: number | null;
  body: string | null;
  created_at: Stamp;
}

export interface ReconcileRequestTable {
  id: Generated<string>;
  seq: Generated<string>;
  mode: 'cheap' | 'deep';
  /** null: all accounts. */
  account: string | null;
  accept_shrink: boolean;
  requested_by: string;
  requested_at: Stamp;
  taken_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  run_id: string | null;
  finished_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  problem: string | null;
  /** What it found, account by account; null: not yet, or no more. */
  found: ColumnType<unknown, string | null | undefined, string | null>;
}

export interface AuditVerificationTable {
  id: Generated<string>;
  started_by: string;
  started_at: Stamp;
  finished_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  result: Json<unknown> | null;
}

export interface AuditEntryTable {
  id: string;
  at: Stamp;
  /** RFC 8785 canonical text of the hashed part: holds no personal data. */
  canonical: string;
  /** Read from `canonical` by the database, to search by. */
  kind: ColumnType<string, never, never>;
  actor: ColumnType<string, never, never>;
  account: ColumnType<string | null, never, never>;
}

/** Entries not yet in the chain: what the sequencer takes from. */
export interface AuditPendingTable {
  /** The transaction that wrote it: the sequencer waits for all older ones. */
  xid: Generated<string>;
  entry_id: string;
}

export interface AuditPersonalTable {
  entry_id: string;
  person_id: string | null;
  salt: Buffer;
  /** RFC 8785 canonical text of the personal part; deleted on erasure. */
  data: string;
}

export interface AuditChainTable {
  seq: string;
  entry_id: string;
  leaf: Buffer;
  hash: Buffer;
}

export interface AuditCheckpointTable {
  size: string;
  /** Of the key it was signed with, raw in base64. After a change of keys the same size is signed by both. */
  public_key: string;
  root: Buffer;
  /** Hashes of the tree's complete subtrees, so that the next checkpoint need not read every leaf again. */
  frontier: Json<{ size: number; hash: string }[]>;
  /** C2SP signed note. */
  note: string;
  /** Over the statement that an export of the whole log up to here ends with. */
  signature: string;
  signed_at: Stamp;
}

export interface SourceTaskTable {
  source: string;
  task: string;
  cursor: string | null;
  due_at: Stamp;
  woken_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  claimed_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  lease_token: string | null;
  lease_until: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  last_ok_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  last_error: string | null;
  failures: Generated<number>;
}

export interface SubscriptionTable {
  id: Generated<string>;
  source: string;
  kind: string;
  remote_id: string | null;
  resource_id: string | null;
  created_at: Stamp;
  expires_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  problem: string | null;
}

export interface AlertTable {
  key: string;
  kind: AlertKind;
  title: string;
  remedy: string;
  opened_at: Stamp;
  /** How often it was so; rises when it is so again after it was not. */
  times: Generated<number>;
  closed_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
}

export interface AlertChannelTable {
  name: string;
  sending_until: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  sent_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  failures: Generated<number>;
  last_error: string | null;
}

export interface AlertDeliveryTable {
  channel: string;
  key: string;
  times: number;
  sent_at: Stamp;
}

export interface ReplayTable {
  id: Generated<string>;
  seq: Generated<string>;
  /** What was asked for, without what points at a person. */
  filter: Json<Record<string, string>>;
  requested_by: string;
  requested_at: Stamp;
  total: number;
  fed: Generated<number>;
  done: Generated<number>;
  aborted_by: string | null;
  finished_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
}

export interface ReplayEventTable {
  replay_id: string;
  /** The order in which they are fed. */
  place: number;
  event_id: string;
  fed_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
  /** Its plan has come to a result, or waits for something by itself. */
  done_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
}

export interface Schema {
  person: PersonTable;
  link: LinkTable;
  operator_order: OperatorOrderTable;
  inbox: InboxTable;
  roster: RosterTable;
  account: AccountTable;
  pace: PaceTable;
  plan: PlanTable;
  action: ActionTable;
  restore_record: RestoreRecordTable;
  decision: DecisionTable;
  stop: StopTable;
  api_key: ApiKeyTable;
  reconcile_run: ReconcileRunTable;
  seen_teammate: SeenTeammateTable;
  process: ProcessTable;
  console_user: ConsoleUserTable;
  session: SessionTable;
  api_token: ApiTokenTable;
  idempotency_key: IdempotencyKeyTable;
  reconcile_request: ReconcileRequestTable;
  audit_verification: AuditVerificationTable;
  source_task: SourceTaskTable;
  subscription: SubscriptionTable;
  alert: AlertTable;
  alert_channel: AlertChannelTable;
  alert_delivery: AlertDeliveryTable;
  replay: ReplayTable;
  replay_event: ReplayEventTable;
  audit_entry: AuditEntryTable;
  audit_pending: AuditPendingTable;
  audit_personal: AuditPersonalTable;
  audit_chain: AuditChainTable;
  audit_checkpoint: AuditCheckpointTable;
}
