import { isAddress } from '#shared/lifecycle/address.js';
import type { LifecycleEventType, NormalizedEntry, PersonRef } from '#shared/lifecycle/types.js';
import { isHarmless } from '../untrusted.js';
import { EventBody, isObject, Subject } from './schema.js';
import { streamUpdatedType, type VerifiedSet, verificationType } from './verify.js';

/** The year 9999: what lies behind is no time in seconds. */
const lastSecond = 253_402_300_799;

const risc = 'https://schemas.openid.net/secevent/risc/event-type/';
const caep = 'https://schemas.openid.net/secevent/caep/event-type/';

/**
 * idp-events.md §6.4. What an event says is only a hint: the directory is asked anyway. `moved` is the one that asks
 * for nothing else: a revoked session or a stolen password is no leaver.
 */
const meanings = new Map<string, LifecycleEventType>([
  [`${risc}account-disabled`, 'suspended'],
  [`${risc}account-enabled`, 'reactivated'],
  [`${risc}account-purged`, 'terminated'],
  [`${risc}identifier-changed`, 'renamed'],
  [`${risc}account-credential-change-required`, 'moved'],
  [`${risc}credential-compromise`, 'moved'],
  [`${risc}recovery-activated`, 'moved'],
  [`${risc}recovery-information-changed`, 'moved'],
  [`${caep}session-revoked`, 'moved'],
  [`${caep}token-claims-change`, 'moved'],
]);

const recycledType = `${risc}identifier-recycled`;

/** How subjects are to be read. */
export interface Reading {
  issuer: string;
  /** Event types that were asked for. */
  events: readonly string[];
  /** Is there a directory whose ids the transmitter's subjects are? */
  hasIds: boolean;
  tenant: string | null;
  /** Members of a subject that the transmitter wants understood, or the event left alone. */
  critical: readonly string[];
}

/** A verified SET -> its entry. What can't be read is quarantined: the transmitter would not send it again. */
export function normalize(set: VerifiedSet, reading: Reading): NormalizedEntry {
  const { types, event, token } = set;
  const known =
    types.find((type) => type === recycledType) ??
    types.find((type) => meanings.has(type)) ??
    types.find((type) => reading.events.includes(type));
  const type = known ?? types[0] ?? '';
  const common = { eventId: `${set.iss} ${set.jti}`, occurredAt: timeOf(set.at), raw: token, senderType: type };
  const ignored = (reason: string): NormalizedEntry => ({ ...common, outcome: 'ignored', reason });
  const quarantined = (reason: string): NormalizedEntry => ({ ...common, outcome: 'quarantined', reason });
  if (!isHarmless(event) || !isHarmless(set.subject)) {
    return quarantined('the event is nested too deeply or names forbidden keys');
  }
  const body = EventBody.safeParse(event);
  if (!body.success) return quarantined('the event is no JSON object');
  if (type === verificationType) return ignored('the stream works: this is the verification of it');
  if (type === streamUpdatedType) {
    const { status = 'unknown', reason = 'none given' } = body.data;
    return ignored(`the transmitter says that the stream is ${status} (its reason: ${reason})`);
  }
  const meaning = meanings.get(type);
  if (meaning === undefined && type !== recycledType) {
    return ignored('an event type that says nothing about a person’s access');
  }
  if (!types.some((one) => reading.events.includes(one))) {
    return ignored('an event type that this source does not ask for (see its key events)');
  }
  const who = personOf(set.subject ?? body.data.subject, reading);
  if (who.kind !== 'person') return { ...common, outcome: who.kind, reason: who.reason };
  if (meaning !== undefined) return { ...common, outcome: 'event', type: meaning, person: who.person };
  // The address is another human's now, and nothing tells which of the two an entry in SendGrid belongs to.
  const { email } = who.person;
  if (email === null) return quarantined('an identifier was given to somebody else, and it is no address');
  const proposes = { email, reason: 'the address was given to somebody else: is this access the former holder’s?' };
  const reason = 'that what lies under the address be removed was put to a human';
  return { ...common, outcome: 'ignored', reason, proposes };
}

type Who = { kind: 'person'; person: PersonRef } | { kind: 'ignored' | 'quarantined'; reason: string };

const unreadable: Who = { kind: 'quarantined', reason: 'the event names no subject that could be read' };

function personOf(value: unknown, reading: Reading): Who {
  if (!isObject(value)) return unreadable;
  const isComplex = value.format === 'complex' || (value.format === undefined && isObject(value.user));
  if (!isComplex) return personIn([value], reading);
  const elsewhere = criticalOf(value, reading);
  if (elsewhere !== null) return elsewhere;
  if (value.user === undefined) return { kind: 'ignored', reason: 'the subject is no user' };
  return personIn([value.user], reading);
}

/** What narrows a complex subject down. Which of our tenants a stream is for, its audience need not tell. */
function criticalOf(subject: Record<string, unknown>, { critical, tenant }: Reading): Who | null {
  if (tenant !== null && subject.tenant !== undefined && tenantOf(subject.tenant) !== tenant) {
    return { kind: 'ignored', reason: 'about another tenant than ours' };
  }
  const open = critical.filter(
    (member) => subject[member] !== undefined && member !== 'user' && (member !== 'tenant' || tenant === null),
  );
  if (open.length === 0) return null;
  const remedy = open.includes('tenant') ? ' (give the source its tenant)' : '';
  return {
    kind: 'quarantined',
    reason: `the transmitter wants ${open.join(', ')} understood, which it is not${remedy}`,
  };
}

function tenantOf(member: unknown): string | null {
  const read = Subject.safeParse(member);
  return read.success ? (read.data.id ?? read.data.sub ?? read.data.uri ?? null) : null;
}

/** The first id and the first address among identifiers of one user. */
function personIn(identifiers: unknown[], reading: Reading): Who {
  const person: PersonRef = { directoryId: null, email: null };
  const formats: string[] = [];
  let opaque: string | null = null;
  for (const identifier of identifiers) {
    const read = Subject.safeParse(identifier);
    if (!read.success) return unreadable;
    const subject = read.data;
    if (subject.format === 'aliases' && identifiers.length === 1) return personIn(subject.identifiers ?? [], reading);
    person.email ??= emailOf(subject);
    person.directoryId ??= reading.hasIds ? idOf(subject, reading.issuer) : null;
    opaque ??= reading.hasIds && subject.format === 'opaque' ? (subject.id ?? null) : null;
    formats.push(subject.format ?? 'unknown');
  }
  // What an opaque id is an id of is not said. Beside an address it could only do harm: found nowhere, it would make
  // the holder of the address look gone.
  if (person.email === null) person.directoryId ??= opaque;
  if (person.email !== null || person.directoryId !== null) return { kind: 'person', person };
  if (formats.length === 0 || formats.every((format) => format === 'unknown' || format === 'email')) return unreadable;
  const remedy = reading.hasIds ? '' : '; if it is an id of a directory, name that source under ids';
  return {
    kind: 'ignored',
    reason: `the subject (${formats.join(', ')}) is nobody whom a directory could know${remedy}`,
  };
}

function emailOf({ format, email, uri, sub }: Subject): string | null {
  const given = {
    email,
    account: uri?.replace(/^acct:/i, ''),
    iss_sub: sub,
    id_token_claims: email,
  }[format ?? ''];
  return given !== undefined && isAddress(given) ? given : null;
}

/** Ids of other issuers are other people's: to find nobody under one would read as if somebody were gone. */
function idOf({ format, iss, sub }: Subject, issuer: string): string | null {
  if (format !== 'iss_sub' && format !== 'id_token_claims') return null;
  const isTheirs = iss?.replace(/\/$/, '') === issuer.replace(/\/$/, '');
  return isTheirs && sub !== undefined && sub !== '' && !isAddress(sub) ? sub : null;
}

function timeOf(seconds: number): Date | null {
  return seconds >= 0 && seconds <= lastSecond ? new Date(seconds * 1_000) : null;
}
