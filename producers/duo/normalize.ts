import { isDeepStrictEqual } from 'node:util';
import { isAddress } from '#shared/lifecycle/address.js';
import type { LifecycleEventType, NormalizedEntry, PersonRef } from '#shared/lifecycle/types.js';
import { digestOf, isHarmless, parseJson, poison, unreadable } from '../untrusted.js';
import { DuoActivity, DuoAdministratorRow } from './schema.js';

/** idp-events.md §5. What the log says is only a hint: the authority is asked anyway. A map, for names come from outside. */
const meanings = new Map<string, LifecycleEventType>(
  Object.entries({
    user_create: 'joined',
    user_delete: 'terminated',
    user_pending_delete: 'terminated',
    user_restore: 'reactivated',
  } as const),
);

const statuses = new Map<string, LifecycleEventType>(
  Object.entries({
    active: 'reactivated',
    bypass: 'reactivated',
    disabled: 'suspended',
    'pending deletion': 'terminated',
  } as const),
);

/** Actions about many people at once: never taken as a reason to remove any of them. */
const aboutMany = /^(group_|user_import$|user_bulk_|(ad|azure|openldap|directory)_)/;

type Details = Record<string, unknown>;

/** An action of either log, before it is known whether it concerns anybody's access. */
interface Action {
  name: string;
  /** What the user is like now, as far as Duo tells; null: it does not. */
  now: Details | null;
  before: Details | null;
}

/** Items of the activity log -> one entry for each; what can't be read is quarantined. */
export function normalizeActivity(items: readonly unknown[]): NormalizedEntry[] {
  return items.map((item) => guarded(item, activityEntry));
}

/**
 * The same for rows of the older administrator log, which names users by their user name alone.
 * @param ids of users by user name, for those of `usernamesIn`
 */
export function normalizeAdministrator(rows: readonly unknown[], ids: ReadonlyMap<string, string>): NormalizedEntry[] {
  return rows.map((row) => guarded(row, (value, raw) => administratorEntry(value, raw, ids)));
}

/** User names whose users have to be looked up before their rows mean anything. */
export function usernamesIn(rows: readonly unknown[]): string[] {
  const names = rows.flatMap((item) => {
    const row = isHarmless(item) ? DuoAdministratorRow.safeParse(item).data : undefined;
    if (row === undefined) return [];
    const action = actionOf(row);
    return row.object && meaningOf(action).type !== null && addressIn(row, action) === null ? [row.object] : [];
  });
  return [...new Set(names)];
}

function activityEntry(item: unknown, raw: string): NormalizedEntry {
  const parsed = DuoActivity.safeParse(item);
  if (!parsed.success) return unreadable(raw, 'the entry of the activity log names no action');
  const { activity_id, ts, action: name, target, old_target, outcome } = parsed.data;
  const common = {
    eventId: activity_id || digestOf(raw),
    occurredAt: timeOf(Date.parse(ts ?? '')),
    raw,
    senderType: name,
  };
  if (outcome?.result?.toUpperCase() === 'FAILURE') {
    return { ...common, outcome: 'ignored', reason: 'did not succeed' };
  }
  const action = { name, now: detailsIn(target?.details), before: detailsIn(old_target?.details) };
  const { type, reason } = meaningOf(action);
  if (type === null) return { ...common, outcome: 'ignored', reason };
  const isUser = target?.type === 'user';
  const person: PersonRef = {
    directoryId: isUser && target?.key ? target.key : null,
    email: firstAddress([action.now?.email, isUser ? target?.name : null, action.before?.email]),
  };
  if (person.directoryId === null && person.email === null) {
    return { ...common, outcome: 'quarantined', reason: 'the entry names no user' };
  }
  return { ...common, outcome: 'event', type, person };
}

function administratorEntry(row: unknown, raw: string, ids: ReadonlyMap<string, string>): NormalizedEntry {
  const parsed = DuoAdministratorRow.safeParse(row);
  if (!parsed.success) return unreadable(raw, 'the row of the administrator log lacks its time or its action');
  const { timestamp, action: name, object, username, description } = parsed.data;
  const action = actionOf(parsed.data);
  const common = {
    eventId: digestOf(JSON.stringify([timestamp, name, object ?? null, username ?? null, description ?? null])),
    occurredAt: timeOf(timestamp * 1_000),
    raw,
    senderType: name,
  };
  const { type, reason } = meaningOf(action);
  if (type === null) return { ...common, outcome: 'ignored', reason };
  const person = { directoryId: ids.get(object ?? '') ?? null, email: addressIn(parsed.data, action) };
  if (person.directoryId === null && person.email === null) {
    // Reconciliation finds them by their id, if they ever were seen.
    return { ...common, outcome: 'ignored', reason: 'names a user, by user name alone, whom Duo knows no longer' };
  }
  return { ...common, outcome: 'event', type, person };
}

function actionOf({ action, description }: DuoAdministratorRow): Action {
  return { name: action, now: detailsIn(description), before: null };
}

type Meaning = { type: LifecycleEventType; reason: null } | { type: null; reason: string };

function meaningOf(action: Action): Meaning {
  const type = action.name === 'user_update' ? updateOf(action) : (meanings.get(action.name) ?? null);
  if (type !== null) return { type, reason: null };
  if (aboutMany.test(action.name)) {
    return { type, reason: 'concerns many people at once: each is judged by the directory, not by this action' };
  }
  return { type, reason: 'an action that says nothing about a person’s access' };
}

/** Of several changes the gravest; null: none that concerns access. Where Duo does not tell, the directory will. */
function updateOf({ now, before }: Action): LifecycleEventType | null {
  if (now === null) return 'moved';
  const keys = new Set([...Object.keys(now), ...Object.keys(before ?? {})]);
  const changed = [...keys].filter((key) => before === null || !isDeepStrictEqual(now[key], before[key]));
  const status = changed.includes('status') ? statuses.get(String(now.status).toLowerCase()) : undefined;
  if (status !== undefined) return status;
  if (changed.includes('groups')) return 'moved';
  return changed.some((key) => /^(email|username|uname|alias(es|\d))$/.test(key)) ? 'renamed' : null;
}

/** Details are JSON in a text; objects are taken too. null: not told, or not readable. */
function detailsIn(value: unknown): Details | null {
  const details = typeof value === 'string' ? parseJson(value) : value;
  const isDetails = typeof details === 'object' && details !== null && !Array.isArray(details);
  return isDetails && isHarmless(details) ? (details as Details) : null;
}

function addressIn({ object }: DuoAdministratorRow, { now }: Action): string | null {
  return firstAddress([now?.email, object]);
}

function firstAddress(texts: unknown[]): string | null {
  return texts.find((text): text is string => typeof text === 'string' && isAddress(text)) ?? null;
}

function timeOf(ms: number): Date | null {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? null : time;
}

function guarded(item: unknown, toEntry: (item: unknown, raw: string) => NormalizedEntry): NormalizedEntry {
  return isHarmless(item) ? toEntry(item, JSON.stringify(item)) : poison(item, 'the entry');
}
