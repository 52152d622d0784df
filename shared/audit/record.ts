/** What happened: `<noun>.<past participle>`. Verification doesn't depend on this list, so it may grow. */
export type AuditKind =
  | 'event.received'
  | 'event.ignored'
  | 'event.quarantined'
  | 'plan.made'
  | 'plan.held'
  | 'plan.approved'
  | 'plan.rejected'
  | 'plan.superseded'
  | 'plan.expired'
  | 'action.attempted'
  | 'action.applied'
  | 'action.noop'
  | 'action.refused'
  | 'action.failed'
  | 'person.settled'
  | 'person.returned'
  | 'person.erased'
  | 'operator.ordered'
  | 'operator.proposed'
  | 'operator.cancelled'
  | 'operator.restored'
  | 'effects.stopped'
  | 'effects.resumed'
  | 'key.registered'
  | 'reconcile.finished'
  | 'session.opened'
  | 'session.refused'
  | 'session.closed'
  | 'access.refused'
  | 'mcp.called'
  | 'token.created'
  | 'token.revoked'
  | 'events.replayed'
  | 'replay.aborted'
  | 'replay.finished'
  | 'alerts.tested'
  | 'reconcile.requested'
  | 'audit.verified'
  | 'queue.changed'
  | 'audit.exported';

/** What a writer says. `before` and `after` hold access facts, never names; `detail` holds nothing personal. */
export interface AuditInput {
  kind: AuditKind;
  account?: string | null;
  person?: { id: string | null; email: string | null } | null;
  action?: { id: string; kind: string; footprint: string; subuser?: string; target: string } | null;
  before?: Record<string, unknown> | null;
  after?: Record<string, unknown> | null;
  cause?: { source: string; eventIds: string[]; plan: string | null } | null;
  actor: string;
  detail?: Record<string, unknown> | null;
  /** More that points at a person, beside their address and the target; erased with them. */
  personal?: Record<string, string>;
}

/** The part of a record that is hashed. Personal data is only committed to, so that it can be erased. */
export interface HashedPart {
  id: string;
  at: string;
  kind: string;
  account: string | null;
  person: { id: string | null } | null;
  action: { id: string; kind: string; footprint: string; subuser?: string } | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  cause: { source: string; eventIds: string[]; plan: string | null } | null;
  actor: string;
  detail: Record<string, unknown> | null;
  /** HMAC-SHA-256 of the personal part under a salt of its own; null when there is none. */
  commit: string | null;
}

export interface PersonalPart {
  email?: string;
  target?: string;
  more?: Record<string, string>;
}

/** The personal part with what proves that it is the one which was committed to. */
export interface Disclosure {
  salt: Buffer;
  data: PersonalPart;
}

/** One line of an export: the hashed part with the personal part put back where it belongs. */
export interface AuditLine extends Omit<HashedPart, 'person' | 'action'> {
  seq: number;
  person: { id: string | null; email?: string } | null;
  action: { id: string; kind: string; footprint: string; subuser?: string; target?: string } | null;
  personal?: Record<string, string>;
  /** Absent when the personal part was erased. */
  salt?: string;
  prevHash: string;
  hash: string;
}
