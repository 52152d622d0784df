import { createHash } from 'node:crypto';
import { isAddress } from '#shared/lifecycle/address.js';
import type { LifecycleEventType, NormalizedEntry } from '#shared/lifecycle/types.js';
import { isHarmless, parseJson, poison, unreadable } from '../untrusted.js';
import { DeltaGroup, type DeltaMember, DeltaUser, GraphDelivery, GraphItem } from './schema.js';

const maxItems = 1_000;
const maxMembers = 1_000;

const theItem = 'the item';

const changes = new Set(['created', 'updated', 'deleted']);

/** What a blocked sign-in means here. */
export type Disabled = 'suspended' | 'terminated';

/**
 * A delivery -> its entries. An item says of a user that something happened and not what: a soft delete, a new account and
 * a new telephone number all arrive as `updated`, and `deleted` a month after the fact (idp-events.md §2.4).
 */
export function normalize(body: Buffer): NormalizedEntry[] {
  const text = body.toString('utf8');
  const delivery = GraphDelivery.safeParse(parseExactly(text));
  if (!delivery.success) return [unreadable(text, 'the body is not a Graph change notification')];
  const { value } = delivery.data;
  if (value.length > maxItems) return [unreadable(text, `the delivery holds more than ${maxItems} items`)];
  return value.flatMap((item) => (isHarmless(item) ? toEntries(item) : [poison(withoutSecret(item), theItem)]));
}

/** Names of what Graph tells about the subscriptions themselves. */
export function lifecycleEvents(body: Buffer): string[] {
  const delivery = GraphDelivery.safeParse(parseExactly(body.toString('utf8')));
  if (!delivery.success) return [];
  return delivery.data.value.flatMap((item) => GraphItem.safeParse(item).data?.lifecycleEvent ?? []);
}

function toEntries(item: unknown): NormalizedEntry[] {
  const shown = withoutSecret(item);
  const raw = JSON.stringify(shown) ?? 'null';
  const parsed = GraphItem.safeParse(item);
  if (!parsed.success) return [unreadable(raw, 'the item has not the form of a Graph change notification')];
  const { subscriptionId, subscriptionExpirationDateTime, lifecycleEvent, resource, resourceData } = parsed.data;
  if (typeof lifecycleEvent === 'string') {
    const eventId = hash('lifecycle', subscriptionId, lifecycleEvent, subscriptionExpirationDateTime);
    return [
      ignored({ eventId, occurredAt: null, raw, senderType: lifecycleEvent }, 'is about the subscription itself'),
    ];
  }
  const changeType = parsed.data.changeType ?? '';
  const about = subjectOf(parsed.data);
  const common = {
    eventId: idOf(parsed.data),
    occurredAt: timeOf(resourceData?.eventTime),
    raw,
    senderType: `${about ?? resource ?? 'unknown'} ${changeType}`,
  };
  if (about === null || !changes.has(changeType)) return [ignored(common, 'is about neither a user nor a group')];
  const id = resourceData?.id;
  if (typeof id !== 'string' || id === '') {
    return [{ ...common, outcome: 'quarantined', reason: `the item names no ${about}` }];
  }
  if (about === 'user')
    return [{ ...common, outcome: 'event', type: typeOf(changeType), person: { directoryId: id, email: null } }];
  return memberEntries(common, shown as Record<string, unknown>, parsed.data);
}

/** The secret is no evidence: whoever may read the inbox need not know it. */
function withoutSecret(item: unknown): unknown {
  return typeof item === 'object' && item !== null ? { ...item, clientState: undefined } : item;
}

/** Who was deleted for good had been in the recycle bin for a month; who was created is seldom told as such. */
function typeOf(changeType: string): LifecycleEventType {
  if (changeType === 'deleted') return 'terminated';
  return changeType === 'created' ? 'joined' : 'moved';
}

type Common = Pick<NormalizedEntry, 'eventId' | 'occurredAt' | 'raw'> & { senderType: string };

const reasons = {
  many: 'concerns many people at once: each is judged by the directory, not by this event',
  unnamed: 'does not say who is concerned: the delta query of groups finds them',
  properties: 'a change of the group that says nothing about its members',
  other: 'a member that is no user',
  others: 'names no member that is a user; the delta query of groups looks into nested ones',
};

function memberEntries(common: Common, shown: Record<string, unknown>, item: GraphItem): NormalizedEntry[] {
  const data = shown.resourceData as Record<string, unknown>;
  if (item.changeType === 'deleted') return [ignored(common, reasons.many)];
  const members = item.resourceData?.['members@delta'] ?? [];
  if (members.length === 0 || members.length > maxMembers) return [ignored(common, reasons.unnamed)];
  const told = data['members@delta'] as unknown[];
  const people = members.flatMap((member, index) => (isOther(member) ? [] : [{ id: member.id, told: told[index] }]));
  if (people.length === 0) return [ignored(common, reasons.others)];
  return people.map((member) => ({
    ...common,
    eventId: hash(common.eventId, member.id),
    // Each keeps what is said of them alone: a thousand times the whole would be a flood.
    raw: JSON.stringify({ ...shown, resourceData: { ...data, 'members@delta': [member.told] } }),
    outcome: 'event',
    type: 'moved',
    person: { directoryId: member.id, email: null },
  }));
}

/** A device, an app or a group; who comes as a bare id may be a person. */
function isOther({ '@odata.type': type }: Pick<DeltaMember, '@odata.type'>): boolean {
  return typeof type === 'string' && type !== '' && !/\.user$/i.test(type);
}

function ignored(common: Common, reason: string): NormalizedEntry {
  return { ...common, outcome: 'ignored', reason };
}

function subjectOf({ resource, resourceData }: GraphItem): 'user' | 'group' | null {
  const type = resourceData?.['@odata.type'] ?? resource?.replace(/^\/?(user|group)s\/[^/]+$/i, '#microsoft.graph.$1');
  const what = /^#microsoft\.graph\.(user|group)$/i.exec(type ?? '')?.[1]?.toLowerCase();
  return what === 'user' || what === 'group' ? what : null;
}

/** Graph's id where it gives one, else what tells one change from the next (idp-events.md §0.5). */
function idOf({ id, subscriptionId, resource, changeType, resourceData }: GraphItem): string {
  if (typeof id === 'string' && id !== '') return id;
  const { sequenceNumber, eventTime } = resourceData ?? {};
  return hash(subscriptionId, resource, changeType, sequenceNumber ?? eventTime);
}

/**
 * One user of a delta page -> an entry. Not being on any page says nothing about anybody.
 * @param link the page's address: a later page with the same words is another event
 */
export function deltaUser(item: unknown, link: string, disabled: Disabled): NormalizedEntry {
  if (!isHarmless(item)) return poison(item, theItem);
  const raw = JSON.stringify(item) ?? 'null';
  const parsed = DeltaUser.safeParse(item);
  if (!parsed.success) return unreadable(raw, 'the user of a delta page lacks its id');
  const { id, accountEnabled, mail, userPrincipalName, '@removed': removed } = parsed.data;
  const common = { eventId: hash('users/delta', link, raw), occurredAt: null, raw };
  const email = [mail, userPrincipalName].find((one) => typeof one === 'string' && isAddress(one)) ?? null;
  const person = { directoryId: id, email };
  if (removed !== null && removed !== undefined) {
    const senderType = `users/delta removed ${removed.reason ?? ''}`.trim();
    return { ...common, outcome: 'event', type: 'terminated', senderType, person };
  }
  // Absent must not read as false (idp-events.md §2.4).
  const type = accountEnabled === false ? disabled : 'moved';
  return { ...common, outcome: 'event', type, senderType: 'users/delta', person };
}

/** One group of a delta page: entries for its members, and the groups among them, whose own members are concerned too. */
export function deltaGroup(item: unknown, link: string): { entries: NormalizedEntry[]; nested: DeltaMember[] } {
  if (!isHarmless(item)) return { entries: [poison(item, theItem)], nested: [] };
  const parsed = DeltaGroup.safeParse(item);
  if (!parsed.success) {
    return {
      entries: [unreadable(JSON.stringify(item) ?? 'null', 'the group of a delta page lacks its id')],
      nested: [],
    };
  }
  const { id: group, '@removed': removed, 'members@delta': members } = parsed.data;
  if (!members?.length || removed) {
    const raw = JSON.stringify(item);
    const common = { eventId: hash('groups/delta', link, raw), occurredAt: null, raw, senderType: 'groups/delta' };
    return { entries: [ignored(common, removed ? reasons.many : reasons.properties)], nested: [] };
  }
  const isGroup = (member: DeltaMember) => /\.group$/i.test(member['@odata.type'] ?? '');
  return {
    entries: members.filter((member) => !isGroup(member)).map((member) => deltaMember(member, group, link)),
    nested: members.filter(isGroup),
  };
}

/** Came or went: the directory says which. */
export function deltaMember(member: DeltaMember, group: string, link: string): NormalizedEntry {
  const common = {
    eventId: hash('groups/delta', link, group, member.id),
    occurredAt: null,
    raw: JSON.stringify({ group, member }),
    senderType: 'groups/delta member',
  };
  if (isOther(member)) return ignored(common, reasons.other);
  return { ...common, outcome: 'event', type: 'moved', person: { directoryId: member.id, email: null } };
}

/** A group inside a group whose members could not all be named. */
export function deltaNested(member: DeltaMember, link: string): NormalizedEntry {
  const common = {
    eventId: hash('groups/delta', link, 'nested', member.id),
    occurredAt: null,
    raw: JSON.stringify(member),
    senderType: 'groups/delta member',
  };
  return ignored(common, 'a nested group that is gone or too large to name its members: the comparison finds them');
}

function timeOf(text: string | null | undefined): Date | null {
  const time = new Date(text ?? '');
  return Number.isNaN(time.getTime()) ? null : time;
}

function hash(...parts: unknown[]): string {
  const text = JSON.stringify(parts.map((part) => (part === undefined || part === null ? null : String(part))));
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Strings as they are, and whole numbers that a double would round as text: a sequenceNumber is beyond 2^53. */
const longNumbers = /"(?:[^"\\]|\\.)*(?:"|$)|-?\d{16,}(?![\d.eE])/g;

function parseExactly(text: string): unknown {
  return parseJson(text.replace(longNumbers, (token) => (token.startsWith('"') ? token : `"${token}"`)));
}
