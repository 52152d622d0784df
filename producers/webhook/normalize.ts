import type { WebhookMapping } from '#shared/config/sources/webhook.js';
import { isAddress } from '#shared/lifecycle/address.js';
import { lifecycleEventTypes, type NormalizedEntry, type PersonRef } from '#shared/lifecycle/types.js';
import type { HookRequest } from '../source.js';
import { digestOf, isHarmless, parseJson } from '../untrusted.js';
import { valueAtPath } from './paths.js';
import { Id, Text, Time, Word } from './schema.js';

const maxItems = 1_000;

/** Sendoff's own form: `{type: "user.terminated", timestamp, data: {email, id}}` (docs/sources/webhook.md). */
export const ownMapping: WebhookMapping = {
  type: 'type',
  email: 'data.email',
  id: 'data.id',
  occurredAt: 'timestamp',
  types: Object.fromEntries(lifecycleEventTypes.map((type) => [`user.${type}`, type])),
};

export interface Reading {
  mapping: WebhookMapping;
  /** Is there a directory whose ids these are? Otherwise an id is somebody else's word, and only an address tells who. */
  hasIds: boolean;
}

/** Where one entry's facts stand: in the item, and around it. */
interface Place {
  item: unknown;
  body: unknown;
  eventId: string;
  raw: string;
}

/**
 * A delivery -> one entry, or one for each of its items. What can't be read is quarantined with what was looked for and
 * where: the sender proved who it is, and would send the same again.
 */
export function normalize(
  { body, headers }: Pick<HookRequest, 'body' | 'headers'>,
  reading: Reading,
): NormalizedEntry[] {
  const raw = body.toString('utf8');
  const messageId = String(headers['webhook-id'] ?? digestOf(body));
  const refuse = (reason: string): NormalizedEntry[] => [quarantined(messageId, raw, null, reason)];
  const parsed = parseJson(raw);
  if (typeof parsed !== 'object' || parsed === null) return refuse('the body is no JSON object or list');
  if (!isHarmless(parsed)) return refuse('the body is nested too deeply or names forbidden keys');
  const { items: path } = reading.mapping;
  if (path === undefined) return [toEntry({ item: parsed, body: parsed, eventId: messageId, raw }, reading)];
  const items = valueAtPath(parsed, path);
  if (!Array.isArray(items)) return refuse(`no list at ${path} (mapping.items): found ${kindOf(items)}`);
  if (items.length > maxItems) return refuse(`the list at ${path} (mapping.items) holds more than ${maxItems}`);
  return items.map((item: unknown, index) =>
    toEntry({ item, body: parsed, eventId: `${messageId}:${index}`, raw: JSON.stringify(item) }, reading),
  );
}

function toEntry(place: Place, reading: Reading): NormalizedEntry {
  const { mapping } = reading;
  const { eventId, raw } = place;
  const word = factAt(place, mapping.type);
  const told = Word.safeParse(word);
  if (!told.success) return quarantined(eventId, raw, null, notFound('type', word, mapping.type, 'type'));
  const senderType = told.data;
  const common = { eventId, raw, occurredAt: timeAt(place, mapping.occurredAt), senderType };
  const type = Object.hasOwn(mapping.types, senderType) ? mapping.types[senderType] : undefined;
  if (type === undefined) return { ...common, outcome: 'ignored', reason: 'a type that the mapping does not name' };
  const person = personAt(place, reading);
  return typeof person === 'string'
    ? quarantined(eventId, raw, senderType, person)
    : { ...common, outcome: 'event', type, person };
}

/** @returns the person, or what was looked for and not found */
function personAt({ item }: Place, { mapping, hasIds }: Reading): PersonRef | string {
  const idPath = hasIds ? mapping.id : undefined;
  const [address, number] = [mapping.email, idPath].map((path) =>
    path === undefined ? undefined : valueAtPath(item, path),
  );
  const text = Text.safeParse(address);
  const given = Id.safeParse(number);
  const email = text.success && isAddress(text.data) ? text.data : null;
  const directoryId = given.success ? given.data : null;
  if (email !== null || directoryId !== null) return { directoryId, email };
  return [
    ...(mapping.email === undefined ? [] : [notFound('e-mail address', address, mapping.email, 'email')]),
    ...(idPath === undefined ? [] : [notFound('id', number, idPath, 'id')]),
  ].join('; ');
}

/** What is true of the whole delivery may stand around the items. Not so who they are about. */
function factAt({ item, body }: Place, path: string): unknown {
  return valueAtPath(item, path) ?? valueAtPath(body, path);
}

/** A time that can't be read spoils nothing: what counts is what the directory says now. */
function timeAt(place: Place, path: string | undefined): Date | null {
  const time = path === undefined ? null : Time.safeParse(factAt(place, path));
  return time?.success === true ? time.data : null;
}

function notFound(what: string, value: unknown, path: string, key: string): string {
  return `no ${what} at ${path} (mapping.${key}): found ${kindOf(value)}`;
}

/** Never the value itself: it may be anybody's. */
function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value === '') return 'an empty text';
  if (Array.isArray(value)) return 'a list';
  return (
    { string: 'another text', number: 'a number', boolean: 'true or false' }[typeof value as string] ?? 'an object'
  );
}

function quarantined(eventId: string, raw: string, senderType: string | null, reason: string): NormalizedEntry {
  return { eventId, occurredAt: null, raw, outcome: 'quarantined', senderType, reason };
}
