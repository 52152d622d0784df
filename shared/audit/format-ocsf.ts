import type { AuditLine } from './record.js';

/** OCSF 1.x Account Change (3001): what SIEMs take in without a mapping of their own. A view, not evidence. */
export function toOcsf(line: AuditLine): Record<string, unknown> {
  const activity = activityOf(line);
  return {
    class_uid: 3001,
    class_name: 'Account Change',
    category_uid: 3,
    category_name: 'Identity & Access Management',
    activity_id: activity.id,
    activity_name: activity.name,
    type_uid: 3001 * 100 + activity.id,
    time: Date.parse(line.at),
    severity_id: line.kind === 'action.failed' ? 4 : 1,
    status_id: line.kind === 'action.failed' ? 2 : 1,
    message: line.kind,
    actor: { user: { name: line.actor } },
    ...(line.person === null
      ? {}
      : {
          user: { uid: line.person.id, ...(line.person.email === undefined ? {} : { email_addr: line.person.email }) },
        }),
    metadata: {
      version: '1.3.0',
      product: { name: 'Sendoff', vendor_name: 'Sendoff' },
      uid: line.id,
      sequence: line.seq,
    },
    unmapped: {
      account: line.account,
      action: line.action,
      before: line.before,
      after: line.after,
      cause: line.cause,
      detail: line.detail,
      hash: line.hash,
    },
  };
}

function activityOf({ kind, action }: AuditLine): { id: number; name: string } {
  if (kind !== 'action.applied') return { id: 99, name: 'Other' };
  switch (action?.kind) {
    case 'deprovision':
      return { id: 6, name: 'Delete' };
    case 'restrict':
      return { id: 8, name: 'Detach Policy' };
    case 'restore':
      return { id: 7, name: 'Attach Policy' };
    default:
      return { id: 99, name: 'Other' };
  }
}
