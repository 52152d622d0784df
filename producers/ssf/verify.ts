import { type CryptoKey, compactVerify, decodeProtectedHeader, errors } from 'jose';
import type { HookRequest, Verdict } from '../source.js';
import { isOneOf, onlyHeader, parseJson } from '../untrusted.js';
import { Audience, Claims, EventBody, Header, isObject } from './schema.js';

const maxBytes = 256 * 1024;
const contentType = 'application/secevent+jwt';
/** Signatures by a key pair only: with HS256 everybody who can read the transmitter's public keys could sign. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'];
/** Clocks differ. How old a SET is does not matter: it is only a hint, and its jti makes it count once. */
const aheadSeconds = 5 * 60;
export const verificationType = 'https://schemas.openid.net/secevent/ssf/event-type/verification';
export const streamUpdatedType = 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated';

/** The error codes of RFC 8935 and of SSF (idp-events.md §6.3). */
export interface Refusal {
  err: 'invalid_request' | 'invalid_key' | 'invalid_issuer' | 'invalid_audience' | 'invalid_state';
  description: string;
}

/** A SET whose every claim has been checked; what its event says has not. */
export interface VerifiedSet {
  token: string;
  iss: string;
  jti: string;
  /** Seconds; when it happened, as far as the claims tell. */
  at: number;
  /** One type, or aliases of one. */
  types: string[];
  subject: unknown;
  event: unknown;
}

/** What a SET is measured by. */
export interface Expected {
  issuer: string;
  audience: readonly string[];
  /** What the transmitter itself called the audience of our stream, as far as is known. */
  streamAudience(): Promise<readonly string[]>;
  /** 'unknown': the transmitter has no such key. 'unsure': it can't be told now. @throws when the keys can't be read */
  findKey(header: { kid: string; alg: string }): Promise<CryptoKey | 'unknown' | 'unsure'>;
  /** Did we ask for a verification of this stream with this state? */
  isAwaited(streamId: string | null, state: string): Promise<boolean>;
  now(): Date;
}

/** One push -> its SET, or what to answer. @param tokens of which the transmitter must send one; [] = none is asked for */
export async function verifyPush(
  { headers, rawHeaders, body }: HookRequest,
  tokens: readonly string[],
  expected: Expected,
): Promise<{ set: VerifiedSet } | { verdict: Verdict }> {
  if (tokens.length > 0 && !isAuthorized(rawHeaders, tokens)) {
    return { verdict: { ok: false, why: 'unauthenticated' } };
  }
  if (headers['content-type']?.split(';')[0]?.trim().toLowerCase() !== contentType) {
    return refused({ err: 'invalid_request', description: `the content type is not ${contentType}` });
  }
  const checked = await verifySet(body.toString('latin1').trim(), expected);
  if (checked === 'unsure') return { verdict: { ok: false, why: 'unavailable' } };
  if (checked === 'misconfigured') return { verdict: { ok: false, why: 'misconfigured' } };
  return 'err' in checked ? refused(checked) : { set: checked };
}

/**
 * In the order of idp-events.md §6.1, so that nothing of a token is believed before what it rests on has been checked.
 * @returns neither accepted nor refused: 'unsure' when the transmitter's keys do not tell now, 'misconfigured' when it is
 * for our stream and the configuration has another audience
 */
export async function verifySet(token: string, expected: Expected): Promise<Checked | 'unsure'> {
  if (token.length > maxBytes) return invalid(`it is longer than ${maxBytes} bytes`);
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return invalid('it is no JWS of three parts');
  const header = headerOf(token);
  if (header === null) return invalid('its header lacks typ, alg or kid, or has a crit');
  if (!/^(application\/)?secevent\+jwt$/i.test(header.typ)) return invalid('its typ is not secevent+jwt');
  if (!algorithms.includes(header.alg)) return invalid('its alg is not accepted');
  const key = await expected.findKey({ kid: header.kid, alg: header.alg });
  if (key === 'unsure') return key;
  if (key === 'unknown') return { err: 'invalid_key', description: 'the issuer has no key of this kid and alg' };
  const payload = await signedPayload(token, key, header.alg);
  if (payload === null) return { err: 'invalid_key', description: 'the signature does not fit the key' };
  return judgeClaims(token, payload, expected);
}

type Checked = VerifiedSet | Refusal | 'misconfigured';

async function judgeClaims(token: string, payload: Buffer, expected: Expected): Promise<Checked> {
  const claims = parseJson(payload.toString('utf8'));
  if (!isObject(claims)) return invalid('its payload is no JSON object');
  const { iss } = claims;
  if (iss !== expected.issuer) return { err: 'invalid_issuer', description: 'its iss is not the stream’s' };
  const aud = Audience.safeParse(claims.aud);
  if (!aud.success || !aud.data.some((one) => expected.audience.includes(one))) {
    // Refused it would be lost, and the mistake is ours.
    const ours = await expected.streamAudience();
    if (aud.data?.some((one) => ours.includes(one))) return 'misconfigured';
    return { err: 'invalid_audience', description: 'its aud is not the stream’s' };
  }
  // A token that is meant to sign somebody in has them, a SET never: one must not pass for the other.
  if (Object.hasOwn(claims, 'sub') || Object.hasOwn(claims, 'exp')) return invalid('it has sub or exp');
  const read = Claims.safeParse(claims);
  if (!read.success) return invalid('it lacks jti, iat or events');
  const { jti, iat, toe, sub_id: subject, events } = read.data;
  if (iat > expected.now().getTime() / 1_000 + aheadSeconds) return invalid('its iat lies in the future');
  const types = Object.keys(events);
  const [type] = types;
  if (type === undefined || new Set(types.map(lastPart)).size !== 1)
    return invalid('it does not hold exactly one event');
  const event = events[type];
  const body = EventBody.safeParse(event);
  const { state, event_timestamp } = body.success ? body.data : {};
  if (type === verificationType && state !== undefined && !(await expected.isAwaited(streamIdOf(subject), state))) {
    return { err: 'invalid_state', description: 'nobody here asked for a verification with this state' };
  }
  return { token, iss, jti, at: event_timestamp ?? toe ?? iat, types, subject, event };
}

/** Several types are aliases of one when they differ only in where they are defined. */
function lastPart(type: string): string {
  return type.slice(type.lastIndexOf('/') + 1);
}

export function streamIdOf(subject: unknown): string | null {
  return isObject(subject) && typeof subject.id === 'string' ? subject.id : null;
}

function headerOf(token: string): Header | null {
  try {
    return Header.parse(decodeProtectedHeader(token));
  } catch {
    return null;
  }
}

async function signedPayload(token: string, key: CryptoKey, alg: string): Promise<Buffer | null> {
  try {
    return Buffer.from((await compactVerify(token, key, { algorithms: [alg] })).payload);
  } catch (error) {
    // A key that is too short or of another kind is no TypeError of ours, but theirs.
    if (error instanceof errors.JOSEError || error instanceof TypeError) return null;
    throw error;
  }
}

function isAuthorized(rawHeaders: readonly string[], tokens: readonly string[]): boolean {
  const value = onlyHeader(rawHeaders, 'authorization');
  return value !== null && isOneOf(value.replace(/^bearer /i, ''), tokens);
}

function refused(body: Refusal): { verdict: Verdict } {
  const headers = { 'content-type': 'application/json', 'content-language': 'en' };
  return { verdict: { ok: false, why: 'refused', answer: { status: 400, headers, body } } };
}

function invalid(description: string): Refusal {
  return { err: 'invalid_request', description };
}
