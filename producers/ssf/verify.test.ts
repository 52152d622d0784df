import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import type { JWK } from 'jose';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createSigningKey, type SigningKey, signSet } from '#test/emulators/ssf/signer.js';
import { keysOf } from './keys.js';
import { type Expected, verifyPush, verifySet } from './verify.js';

const issuer = 'https://idp.example.com/tenant';
const disabled = 'https://schemas.openid.net/secevent/risc/event-type/account-disabled';
const verification = 'https://schemas.openid.net/secevent/ssf/event-type/verification';
const now = new Date('2026-11-25T12:00:00Z');
const seconds = now.getTime() / 1_000;

let rsa: SigningKey;
let ec: SigningKey;
let stranger: SigningKey;
beforeAll(async () => {
  [rsa, ec, stranger] = await Promise.all([
    createSigningKey('rsa'),
    createSigningKey('ec', 'ES256'),
    createSigningKey('rsa'),
  ]);
});

const claims = (more: Record<string, unknown> = {}) => ({
  iss: issuer,
  jti: 'j1',
  iat: seconds,
  aud: ['https://other.example.com', 'https://sendoff.acme.com'],
  sub_id: { format: 'email', email: 'jane@acme.com' },
  events: { [disabled]: {} },
  ...more,
});
const without = (name: string) => Object.fromEntries(Object.entries(claims()).filter(([key]) => key !== name));
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

const expecting = (more: Partial<Expected> = {}, keys: JWK[] = [rsa.publicJwk, ec.publicJwk]): Expected => ({
  issuer,
  audience: ['https://sendoff.acme.com'],
  streamAudience: async () => [],
  findKey: keysOf(async () => ({ keys })),
  isAwaited: async (_, state) => state === 'ours',
  now: () => now,
  ...more,
});

describe('producers/ssf/verify: what is accepted', () => {
  it.each(['RS256', 'PS256', 'ES256', 'ES384'])('a SET signed with %s', async (alg) => {
    const key = await createSigningKey('k', alg);
    expect(await verifySet(await signSet(claims(), key), expecting({}, [key.publicJwk]))).toMatchObject({
      iss: issuer,
      jti: 'j1',
      types: [disabled],
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['years old, for it is only a hint', { iat: 1_508_184_845 }],
    ['from a clock that is a little ahead', { iat: seconds + 299 }],
    ['with one audience as text', { aud: 'https://sendoff.acme.com' }],
    ['with members that nobody knows', { txn: '8675309', extra: { a: 1 } }],
    ['with aliases of one type', { events: { [disabled]: {}, 'https://old.example.com/account-disabled': {} } }],
    ['that verifies the stream, unasked', { events: { [verification]: {} } }],
    ['that verifies the stream as asked', { events: { [verification]: { state: 'ours' } } }],
  ])('one %s', async (_, more) => {
    expect(await verifySet(await signSet(claims(more), rsa), expecting())).toMatchObject({ jti: 'j1' });
  });

  it('takes the time of the event before that of the token', async () => {
    const at = async (more: Record<string, unknown>, event = {}) =>
      (await verifySet(await signSet(claims({ ...more, events: { [disabled]: event } }), rsa), expecting())) as object;
    expect(await at({})).toMatchObject({ at: seconds });
    expect(await at({ toe: 7 })).toMatchObject({ at: 7 });
    expect(await at({ toe: 7 }, { event_timestamp: 5 })).toMatchObject({ at: 5 });
  });
});

describe('producers/ssf/verify: what is refused', () => {
  const refusals: [string, string, () => Promise<string> | string][] = [
    ['nothing at all', 'invalid_request', () => ''],
    ['JSON instead of a JWS', 'invalid_request', () => JSON.stringify(claims())],
    ['two parts', 'invalid_request', () => 'a.b'],
    ['an encrypted token of five parts', 'invalid_request', () => 'a.b.c.d.e'],
    ['more than 256 KiB', 'invalid_request', () => signSet(claims({ x: 'x'.repeat(300_000) }), rsa)],
    ['a header that is no JSON', 'invalid_request', async () => `x.${part(claims())}.x`],
    ['the typ of an access token', 'invalid_request', () => signSet(claims(), rsa, { typ: 'at+jwt' })],
    ['the typ JWT', 'invalid_request', () => signSet(claims(), rsa, { typ: 'JWT' })],
    ['no typ', 'invalid_request', () => signSet(claims(), rsa, { typ: undefined })],
    ['no kid', 'invalid_request', () => signSet(claims(), rsa, { kid: undefined })],
    [
      'alg none',
      'invalid_request',
      () => `${part({ typ: 'secevent+jwt', alg: 'none', kid: 'rsa' })}.${part(claims())}.x`,
    ],
    ['a critical header', 'invalid_request', async () => unsigned({ crit: ['b64'], b64: true })],
    ['a kid that the issuer does not have', 'invalid_key', () => signSet(claims(), { ...rsa, kid: 'other' })],
    ['another alg than the key’s', 'invalid_key', () => signSet(claims(), { ...ec, kid: 'rsa' })],
    ['another key of the same kid', 'invalid_key', () => signSet(claims(), stranger)],
    ['a changed payload', 'invalid_key', () => altered(1, part(claims({ jti: 'j2' })))],
    ['a changed signature', 'invalid_key', () => altered(2, 'AAAA')],
    ['a changed header', 'invalid_key', () => altered(0, part({ alg: 'RS256', kid: 'rsa', typ: 'secevent+jwt' }))],
    ['a payload that is no object', 'invalid_request', () => signSet([claims()], rsa)],
    ['another iss', 'invalid_issuer', () => signSet(claims({ iss: 'https://evil.example.com' }), rsa)],
    ['an iss with one more slash', 'invalid_issuer', () => signSet(claims({ iss: `${issuer}/` }), rsa)],
    ['no iss', 'invalid_issuer', () => signSet(without('iss'), rsa)],
    ['another aud', 'invalid_audience', () => signSet(claims({ aud: 'https://other.example.com' }), rsa)],
    ['an empty aud', 'invalid_audience', () => signSet(claims({ aud: [] }), rsa)],
    ['no aud', 'invalid_audience', () => signSet(without('aud'), rsa)],
    [
      'an aud that only begins like ours',
      'invalid_audience',
      () => signSet(claims({ aud: 'https://sendoff.acme.com.evil' }), rsa),
    ],
    ['sub, as in a token that signs somebody in', 'invalid_request', () => signSet(claims({ sub: 'jane' }), rsa)],
    ['exp', 'invalid_request', () => signSet(claims({ exp: seconds + 60 }), rsa)],
    ['exp of null', 'invalid_request', () => signSet(claims({ exp: null }), rsa)],
    ['iat minutes ahead', 'invalid_request', () => signSet(claims({ iat: seconds + 301 }), rsa)],
    ['no iat', 'invalid_request', () => signSet(without('iat'), rsa)],
    ['no jti', 'invalid_request', () => signSet(without('jti'), rsa)],
    ['an empty jti', 'invalid_request', () => signSet(claims({ jti: '' }), rsa)],
    ['no events', 'invalid_request', () => signSet(without('events'), rsa)],
    ['not one event', 'invalid_request', () => signSet(claims({ events: {} }), rsa)],
    ['two events', 'invalid_request', () => signSet(claims({ events: { [disabled]: {}, [verification]: {} } }), rsa)],
    [
      'a state of somebody else',
      'invalid_state',
      () => signSet(claims({ events: { [verification]: { state: 'x' } } }), rsa),
    ],
  ];
  it.each(refusals)('%s: %s', async (_, err, make) => {
    expect(await verifySet(await make(), expecting())).toEqual({ err, description: expect.any(String) });
  });

  it.each([['HS256'], ['HS512']])('%s signed with what everybody can read, the public key', async (alg) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k' };
    const secrets = [publicKey.export({ format: 'pem', type: 'spki' }), JSON.stringify(jwk), String(jwk.n)];
    for (const secret of secrets) {
      const body = `${part({ typ: 'secevent+jwt', alg, kid: 'k' })}.${part(claims())}`;
      const mac = createHmac(`sha${alg.slice(2)}`, secret)
        .update(body)
        .digest('base64url');
      const keys = [jwk, { kty: 'oct', kid: 'k', k: Buffer.from(secret).toString('base64url') }];
      expect(await verifySet(`${body}.${mac}`, expecting({}, keys))).toMatchObject({ err: 'invalid_request' });
    }
    expect(privateKey.type).toBe('private');
  });

  it('an RSA key that is too short', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const body = `${part({ typ: 'secevent+jwt', alg: 'RS256', kid: 'k' })}.${part(claims())}`;
    const token = `${body}.${createSign('sha256').update(body).sign(privateKey, 'base64url')}`;
    const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'k' }];
    expect(await verifySet(token, expecting({}, keys))).toMatchObject({ err: 'invalid_key' });
  });

  it('a key that is for encryption', async () => {
    const keys = [{ ...rsa.publicJwk, use: 'enc' }];
    expect(await verifySet(await signSet(claims(), rsa), expecting({}, keys))).toMatchObject({ err: 'invalid_key' });
  });

  it('looks at nothing that rests on what has not been checked', async () => {
    const findKey = vi.fn<Expected['findKey']>();
    for (const header of [{ typ: 'JWT' }, { alg: 'HS256' }]) await verifySet(unsigned(header), expecting({ findKey }));
    expect(findKey).not.toHaveBeenCalled();
    const forged = await signSet(claims({ iss: 'https://evil.example.com', exp: 1 }), stranger);
    expect(await verifySet(forged, expecting())).toMatchObject({ err: 'invalid_key' });
    const wrong = await signSet(claims({ iss: 'x', aud: 'x', exp: 1 }), rsa);
    expect(await verifySet(wrong, expecting())).toMatchObject({ err: 'invalid_issuer' });
  });

  it('never for our own trouble: keys that do not tell now make nothing wrong', async () => {
    const token = await signSet(claims(), rsa);
    expect(await verifySet(token, expecting({ findKey: async () => 'unsure' }))).toBe('unsure');
    const away = expecting({ findKey: () => Promise.reject(new Error('away')) });
    await expect(verifySet(token, away)).rejects.toThrow('away');
  });

  const unsigned = (header: object) =>
    `${part({ typ: 'secevent+jwt', alg: 'RS256', kid: 'rsa', ...header })}.${part(claims())}.AAAA`;
  const altered = async (index: number, value: string) =>
    (await signSet(claims(), rsa))
      .split('.')
      .map((old, at) => (at === index ? value : old))
      .join('.');
});

describe('producers/ssf/verify: a push', () => {
  const push = async (contentType: string | undefined, rawHeaders: string[], tokens: string[] = []) => {
    const body = Buffer.from(`${await signSet(claims(), rsa)}\n`);
    const headers = { 'content-type': contentType };
    return verifyPush({ part: 'events', headers, rawHeaders, query: {}, body }, tokens, expecting());
  };
  const type = 'application/secevent+jwt';

  it.each([type, 'Application/SecEvent+JWT; charset=utf-8'])('is taken as %s', async (contentType) => {
    expect(await push(contentType, [])).toMatchObject({ set: { jti: 'j1' } });
  });

  it.each(['application/json', 'application/jwt', '', undefined])(
    'is refused as %s, in words of RFC 8935',
    async (other) => {
      expect(await push(other, [])).toMatchObject({
        verdict: {
          why: 'refused',
          answer: { status: 400, headers: { 'content-type': 'application/json' }, body: { err: 'invalid_request' } },
        },
      });
    },
  );

  it('says 503 when it is for our stream and the configuration has another audience, and 400 when it is not', async () => {
    const aud = 'https://receiver-7.example.com';
    const pushed = async (more: Record<string, unknown>, streamAudience: string[], key = rsa) => {
      const body = Buffer.from(await signSet(claims(more), key));
      const request = { part: 'events' as const, headers: { 'content-type': type }, rawHeaders: [], query: {}, body };
      return verifyPush(request, [], expecting({ streamAudience: async () => streamAudience }));
    };
    expect(await pushed({ aud }, [aud])).toEqual({ verdict: { ok: false, why: 'misconfigured' } });
    const refused = (err: string) => ({ verdict: { why: 'refused', answer: { body: { err } } } });
    expect(await pushed({ aud }, [])).toMatchObject(refused('invalid_audience'));
    expect(await pushed({ aud: 'https://other.example.com' }, [aud])).toMatchObject(refused('invalid_audience'));
    expect(await pushed({ aud, iss: 'https://evil.example.com' }, [aud])).toMatchObject(refused('invalid_issuer'));
    expect(await pushed({ aud }, [aud], stranger)).toMatchObject(refused('invalid_key'));
  });

  it('says 503 while it cannot tell', async () => {
    const body = Buffer.from(await signSet(claims(), rsa));
    const request = { part: 'events' as const, headers: { 'content-type': type }, rawHeaders: [], query: {}, body };
    const checked = await verifyPush(request, [], expecting({ findKey: async () => 'unsure' }));
    expect(checked).toEqual({ verdict: { ok: false, why: 'unavailable' } });
  });

  it.each([
    ['the token', ['Authorization', 'Bearer new-token']],
    ['the previous one while rotating', ['authorization', 'bearer old-token']],
    ['the token alone', ['Authorization', 'new-token']],
  ])('is taken with %s', async (_, headers) => {
    expect(await push(type, headers, ['new-token', 'old-token'])).toMatchObject({ set: { jti: 'j1' } });
  });

  it.each([
    ['no token', []],
    ['an empty one', ['Authorization', 'Bearer ']],
    ['another', ['Authorization', 'Bearer other']],
    ['a prefix', ['Authorization', 'Bearer new-toke']],
    ['two, one of them right', ['Authorization', 'Bearer new-token', 'Authorization', 'Bearer x']],
  ])('is refused with %s, however good the SET', async (_, headers) => {
    expect(await push(type, headers, ['new-token'])).toEqual({ verdict: { ok: false, why: 'unauthenticated' } });
  });
});
