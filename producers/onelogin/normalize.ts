import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import { digestOf, isHarmless, parseJson, poison, unreadable } from '../untrusted.js';
import { meaningOf, type TypeNames } from './meanings.js';
import { OneLoginEvent } from './schema.js';

const maxEvents = 1_000;

export interface Reading {
  /** The account's own names of event types; null: the published numbers are used. */
  names: TypeNames;
  /** Id of the SendGrid app in OneLogin; events about other apps are ignored. */
  app: string | null;
}

/**
 * A delivery -> its entries. Every login is sent too, with no way to filter: what says nothing about anybody's access
 * becomes no entry at all. Whatever can't be read is quarantined, never refused: nobody would send it again.
 */
export function normalize(body: Buffer, reading: Reading): NormalizedEntry[] {
  const text = body.toString('utf8');
  const items = itemsOf(text);
  if (items === null) return [unreadable(text, 'the body is neither a JSON array nor NDJSON')];
  if (items.length > maxEvents) return [unreadable(text, `the delivery holds more than ${maxEvents} events`)];
  return items.flatMap((item) => toEntry(item, reading) ?? []);
}

/** One event, pushed or polled. @returns null when it says nothing about anybody's access */
export function toEntry(event: unknown, { names, app }: Reading): NormalizedEntry | null {
  if (!isHarmless(event)) return poison(event, 'the event');
  const raw = typeof event === 'string' ? event : JSON.stringify(event);
  const parsed = OneLoginEvent.safeParse(event);
  if (!parsed.success) return unreadable(raw, 'the event has no type');
  const { event_type_id: type, user_id, app_id } = parsed.data;
  const meaning = meaningOf(type, names);
  if (meaning === null) return null;
  const occurredAt = timeOf(parsed.data);
  const common = {
    eventId: idOf(parsed.data, occurredAt, raw),
    occurredAt,
    raw,
    senderType: `${type} ${names?.get(type) ?? ''}`.trim(),
  };
  if (meaning === 'many') {
    const reason = 'concerns many people at once: each is judged by the directory, not by this event';
    return { ...common, outcome: 'ignored', reason };
  }
  const isOtherApp = app !== null && app_id !== null && app_id !== app;
  if (isOtherApp && (meaning === 'assigned' || meaning === 'unassigned')) {
    return { ...common, outcome: 'ignored', reason: `about another app (${app_id})` };
  }
  if (user_id === null) return { ...common, outcome: 'quarantined', reason: 'the event names no user' };
  // `user_name` is what people call themselves, and never taken for an address.
  return { ...common, outcome: 'event', type: meaning, person: { directoryId: user_id, email: null } };
}

/**
 * The webhook's `uuid` is not the API's `id`: what both tell, to the second, makes the same fact one row
 * (idp-events.md §4.3).
 */
function idOf({ event_type_id, user_id, role_id, app_id, uuid }: OneLoginEvent, at: Date | null, raw: string): string {
  if (at === null) return uuid || digestOf(raw);
  const second = at.toISOString().slice(0, 19);
  return [event_type_id, user_id ?? '', role_id ?? '', app_id ?? '', second].join(':');
}

/** `2017-12-05 19:13:06 UTC` by the webhook, ISO 8601 in UTC by the API. */
function timeOf({ event_timestamp, created_at }: OneLoginEvent): Date | null {
  const form = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)? ?(?:UTC|Z|\+00:?00)$/;
  const [, day, time] = form.exec((event_timestamp || created_at)?.trim() ?? '') ?? [];
  const at = new Date(`${day}T${time}Z`);
  return Number.isNaN(at.getTime()) ? null : at;
}

/** An array, one object, or one object a line; a line that can't be read stays a text. @returns null for none of these */
function itemsOf(text: string): unknown[] | null {
  const whole = parseJson(text);
  if (Array.isArray(whole)) return whole;
  if (typeof whole === 'object' && whole !== null) return [whole];
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const items = lines.map((line) => parseJson(line) ?? line);
  return items.some((item) => typeof item === 'object' && item !== null) ? items : null;
}
