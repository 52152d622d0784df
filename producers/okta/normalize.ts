import { createHash } from 'node:crypto';
import { isAddress } from '#shared/lifecycle/address.js';
import type { NormalizedEntry, PersonRef } from '#shared/lifecycle/types.js';
import { aboutMany, failedDelivery, meanings } from './event-types.js';
import { OktaDelivery, OktaLogEvent } from './schema.js';

const maxEvents = 1_000;
const maxDepth = 32;

/**
 * A delivery -> one entry for each of its events. Whatever can't be read is quarantined, never refused: the sender
 * proved who it is, and would not send it again.
 * @param app id of the SendGrid app in Okta; events about other apps are ignored
 */
export function normalize(body: Buffer, app: string | null): NormalizedEntry[] {
  const text = body.toString('utf8');
  const delivery = OktaDelivery.safeParse(parseJson(text));
  if (!delivery.success) return [unreadable(text, 'the body is not an Okta event hook delivery')];
  const { events } = delivery.data.data;
  if (events.length > maxEvents) return [unreadable(text, `the delivery holds more than ${maxEvents} events`)];
  return normalizeEvents(events, app);
}

/** The same for events as they stand in the System Log: whichever way one comes, it is the same entry. */
export function normalizeEvents(events: unknown[], app: string | null): NormalizedEntry[] {
  return events.map((event) => {
    if (isHarmless(event, maxDepth)) return toEntry(event, app);
    const raw = JSON.stringify(cut(event, maxDepth));
    return unreadable(raw, 'the event is nested too deeply or names forbidden keys');
  });
}

function toEntry(event: unknown, app: string | null): NormalizedEntry {
  const raw = JSON.stringify(event);
  const parsed = OktaLogEvent.safeParse(event);
  if (!parsed.success) return unreadable(raw, 'the event lacks its uuid or its type');
  const { uuid, eventType } = parsed.data;
  const common = { eventId: uuid, occurredAt: timeOf(parsed.data.published), raw, senderType: eventType };
  const type = meanings.get(eventType);
  if (type === undefined) return { ...common, outcome: 'ignored', reason: whyIgnored(parsed.data) };
  const otherApp = appOf(parsed.data);
  if (app !== null && eventType.startsWith('application.') && otherApp !== null && otherApp !== app) {
    return { ...common, outcome: 'ignored', reason: `about another app (${otherApp})` };
  }
  const person = personOf(parsed.data);
  if (person !== null) return { ...common, outcome: 'event', type, person };
  // An import tells of records elsewhere too, which need not be anybody in Okta yet.
  return eventType.startsWith('system.import.')
    ? { ...common, outcome: 'ignored', reason: 'an import of somebody who is no user of Okta' }
    : { ...common, outcome: 'quarantined', reason: 'the event names no user' };
}

function whyIgnored({ eventType, outcome }: OktaLogEvent): string {
  if (aboutMany.has(eventType)) {
    return 'concerns many people at once: each is judged by the directory, not by this event';
  }
  if (eventType !== failedDelivery) return 'an event type that says nothing about a person’s access';
  const why = outcome?.reason ? `: ${outcome.reason.slice(0, 200)}` : '';
  return `Okta could not deliver to an event hook${why}; what was in it is found by polling the System Log`;
}

function personOf({ target }: OktaLogEvent): PersonRef | null {
  const user = target?.find((one) => one.type === 'User' && typeof one.id === 'string' && one.id !== '');
  if (user?.id === undefined || user.id === null) return null;
  // A login need not be an address, and may be the word "unknown".
  const { alternateId } = user;
  return {
    directoryId: user.id,
    email: typeof alternateId === 'string' && isAddress(alternateId) ? alternateId : null,
  };
}

function appOf({ target }: OktaLogEvent): string | null {
  return target?.find((one) => one.type === 'AppInstance')?.id ?? null;
}

function timeOf(published: string | null | undefined): Date | null {
  const time = new Date(published ?? '');
  return Number.isNaN(time.getTime()) ? null : time;
}

/** The same bytes again are the same entry. */
function unreadable(raw: string, reason: string): NormalizedEntry {
  const eventId = `sha256:${createHash('sha256').update(raw).digest('hex')}`;
  return { eventId, occurredAt: null, raw, outcome: 'quarantined', senderType: null, reason };
}

function isHarmless(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  return Object.entries(value).every(
    ([key, inner]) => key !== '__proto__' && key !== 'constructor' && isHarmless(inner, depth - 1),
  );
}

/** The same without what lies too deep to be written down. */
function cut(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '…';
  if (Array.isArray(value)) return value.map((inner) => cut(inner, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cut(inner, depth - 1)]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
