import { isAddress } from '#shared/lifecycle/address.js';
import type { LifecycleEventType, NormalizedEntry, PersonRef } from '#shared/lifecycle/types.js';
import type { HookRequest } from '../source.js';
import { isHarmless, onlyHeader, parseJson, poison, unreadable } from '../untrusted.js';
import { Activity, type ActivityEvent, DeletedUser, UserMessage } from './schema.js';

/** idp-events.md §3.3. `update` is everything from a new name to a suspension: the directory tells. Maps, for both come from outside. */
const states = new Map<string, LifecycleEventType>(
  Object.entries({ add: 'joined', delete: 'terminated', undelete: 'reactivated', update: 'moved' } as const),
);

const activities = new Map<string, LifecycleEventType>(
  Object.entries({
    CREATE_USER: 'joined',
    DELETE_USER: 'terminated',
    UNDELETE_USER: 'reactivated',
    SUSPEND_USER: 'suspended',
    UNSUSPEND_USER: 'reactivated',
    ARCHIVE_USER: 'suspended',
    UNARCHIVE_USER: 'reactivated',
    RENAME_USER: 'renamed',
    CHANGE_FIRST_NAME: 'renamed',
    CHANGE_LAST_NAME: 'renamed',
    ADD_NICKNAME: 'renamed',
    REMOVE_NICKNAME: 'renamed',
    MOVE_USER_TO_ORG_UNIT: 'moved',
    CHANGE_USER_ORGANIZATION: 'moved',
    CHANGE_USER_RELATION: 'moved',
    ADD_GROUP_MEMBER: 'moved',
    REMOVE_GROUP_MEMBER: 'moved',
  } as const),
);

/** Events about many people at once: never taken as a reason to remove any of them. */
const aboutMany = new Set(['DELETE_GROUP', 'CREATE_GROUP', 'CHANGE_GROUP_NAME', 'CHANGE_GROUP_EMAIL']);

/**
 * A message of a `users.watch` channel -> one entry, or none for `sync`, which says only that the channel is open. What it
 * is about stands in the headers; the body, whose content type is malformed, names the person.
 */
export function normalize({ rawHeaders, body }: Pick<HookRequest, 'rawHeaders' | 'body'>): NormalizedEntry[] {
  const state = onlyHeader(rawHeaders, 'x-goog-resource-state');
  if (state === 'sync') return [];
  const channel = onlyHeader(rawHeaders, 'x-goog-channel-id');
  const number = onlyHeader(rawHeaders, 'x-goog-message-number');
  const text = body.toString('utf8');
  const raw = JSON.stringify({ channel, number, state, body: text });
  if (state === null || channel === null || number === null || !/^\d{1,30}$/.test(number)) {
    return [unreadable(raw, 'the message has no state or no number')];
  }
  const common = { eventId: `${channel}:${number}`, occurredAt: null, raw, senderType: `users.${state}` };
  const type = states.get(state);
  if (type === undefined) return [{ ...common, outcome: 'ignored', reason: nothingAboutAccess }];
  const user = UserMessage.safeParse(parseJson(text));
  if (!user.success) return [{ ...common, outcome: 'quarantined', reason: 'the message names no user' }];
  return [{ ...common, outcome: 'event', type, person: refOf(user.data.id, user.data.primaryEmail) }];
}

/** An activity of the audit log -> one entry for each of its events. */
export function normalizeActivity(activity: unknown): NormalizedEntry[] {
  if (!isHarmless(activity)) return [poison(activity, 'the activity')];
  const raw = JSON.stringify(activity) ?? 'null';
  const parsed = Activity.safeParse(activity);
  if (!parsed.success) return [unreadable(raw, 'the activity lacks its id, or its events have no names')];
  const { id, events } = parsed.data;
  const eventId = `${id.time}:${id.uniqueQualifier}:${id.applicationName}`;
  return (events ?? []).map((event, index) => {
    const common = {
      eventId: index === 0 ? eventId : `${eventId}:${index}`,
      occurredAt: timeOf(id.time),
      raw,
      senderType: event.name,
    };
    const type = activities.get(event.name);
    if (type === undefined) {
      const reason = aboutMany.has(event.name)
        ? 'concerns many people at once: each is judged by the directory, not by this event'
        : nothingAboutAccess;
      return { ...common, outcome: 'ignored', reason };
    }
    const email = addressIn(event);
    if (email === null) return { ...common, outcome: 'quarantined', reason: 'the event names no user' };
    return { ...common, outcome: 'event', type, person: { directoryId: null, email } };
  });
}

/** Somebody in the list of the deleted. A hint as every other: whoever is back is found so. */
export function normalizeDeleted(user: unknown): NormalizedEntry {
  if (!isHarmless(user)) return poison(user, 'the deleted user');
  const raw = JSON.stringify(user) ?? 'null';
  const parsed = DeletedUser.safeParse(user);
  if (!parsed.success) return unreadable(raw, 'the deleted user lacks an id or a time');
  const { id, primaryEmail, deletionTime } = parsed.data;
  return {
    eventId: `deleted:${id}:${deletionTime}`,
    occurredAt: timeOf(deletionTime),
    raw,
    senderType: 'users.showDeleted',
    outcome: 'event',
    type: 'terminated',
    person: refOf(id, primaryEmail),
  };
}

const nothingAboutAccess = 'an event type that says nothing about a person’s access';

function refOf(directoryId: string, email: string | null | undefined): PersonRef {
  return { directoryId, email: email && isAddress(email) ? email : null };
}

/**
 * Parameters come in any order. After a rename `USER_EMAIL` is the address that somebody had and that may be somebody
 * else’s by now; `NEW_VALUE` is theirs.
 */
function addressIn({ name, parameters }: ActivityEvent): string | null {
  const value = (wanted: string) => {
    const found = parameters?.find((one) => one.name === wanted)?.value?.trim();
    return found && isAddress(found) ? found : null;
  };
  return (name === 'RENAME_USER' ? value('NEW_VALUE') : null) ?? value('USER_EMAIL');
}

function timeOf(text: string): Date | null {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? null : time;
}
