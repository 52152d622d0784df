import { isAddress } from '#shared/lifecycle/address.js';
import type { NormalizedEntry, PersonRef } from '#shared/lifecycle/types.js';
import { isHarmless, parseJson, poison, unreadable } from '../untrusted.js';
import { aboutMany, failedDelivery, meanings } from './event-types.js';
import { OktaDelivery, OktaLogEvent } from './schema.js';

const maxEvents = 1_000;

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
  return events.map((event) => (isHarmless(event) ? toEntry(event, app) : poison(event, 'the event')));
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
