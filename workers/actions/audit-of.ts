import type { AuditInput } from '#shared/audit/record.js';
import type { Snapshot } from '#shared/lifecycle/types.js';
import type { ActionRow } from '#shared/store/actions.js';
import type { Db } from '#shared/store/database.js';
import { inboxEvent } from '#shared/store/inbox.js';
import { personById } from '#shared/store/people.js';

/** Who, what and why of an action, for its audit records. */
export async function auditOf(db: Db, row: ActionRow): Promise<Omit<AuditInput, 'kind'>> {
  const event = await inboxEvent(db, row.eventId);
  const person = await personById(db, row.personId);
  const { kind, footprint, account, subuser, target, email } = row.draft;
  return {
    account,
    person: { id: person.id, email: person.emails[0] ?? email },
    action: { id: row.id, kind, footprint, target, ...(subuser === null ? {} : { subuser }) },
    cause: event === null ? null : { source: event.source, eventIds: [event.eventId], plan: row.planId },
    actor: 'worker',
  };
}

/**
 * What was there and what is, as an audit record states it. Access is stated whole; of anything else the names of the
 * fields, with their contents, which may be addresses, among the personal data.
 */
export function changeFacts(change: {
  before?: Snapshot | null | undefined;
  after?: Snapshot | null | undefined;
}): Pick<AuditInput, 'before' | 'after' | 'personal'> {
  const facts: Pick<AuditInput, 'before' | 'after' | 'personal'> = {};
  const personal: Record<string, string> = {};
  for (const when of ['before', 'after'] as const) {
    const snapshot = change[when];
    if (snapshot === undefined) continue;
    if (snapshot === null) facts[when] = { present: false };
    else if ('admin' in snapshot) facts[when] = { present: true, ...snapshot };
    else {
      facts[when] = { present: true, fields: Object.keys(snapshot.fields).sort() };
      for (const [field, value] of Object.entries(snapshot.fields)) personal[`${when}.${field}`] = value;
    }
  }
  return Object.keys(personal).length === 0 ? facts : { ...facts, personal };
}

/** Whatever SendGrid said, with no address in it: what is hashed can't be erased. */
export function withoutAddresses(text: string): string {
  return text.replace(/[^\s<>"“”'(),:;]+@[^\s<>"“”'(),:;]+/g, '(address)');
}
