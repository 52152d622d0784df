import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ed25519Key, hmacKey, type SigningKey, signedHeaders } from '#test/emulators/webhook/index.js';
import { createVerifier } from './verify.js';

const now = new Date('2026-11-24T10:00:00.000Z');
const request = (headers: Record<string, string>, body: Buffer | string) => ({
  part: 'events' as const,
  headers: {},
  rawHeaders: Object.entries(headers).flat(),
  query: {},
  body: Buffer.from(body),
});
const message = { id: 'msg_1', body: Buffer.from('{"type":"user.terminated","data":{"email":"jané@acme.com"}}') };
const from = (keys: SigningKey[], at = now, sent = message) => request(signedHeaders(sent, keys, at), sent.body);
const refused = { ok: false, why: 'unauthenticated' };

describe('producers/webhook/verify', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('accepts the published vector, and not one bit of it changed', () => {
    // idp-events.md §7, samples/webhook/vector.hmac.json.
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    };
    vi.setSystemTime(1_614_265_330_000);
    const verify = createVerifier(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw']);
    expect(verify(request(headers, '{"test": 2432232314}'))).toEqual({ ok: true });
    expect(verify(request(headers, '{"test": 2432232315}'))).toEqual(refused);
    expect(verify(request(headers, '{"test":2432232314}'))).toEqual(refused);
  });

  it.each([
    ['v1', hmacKey()],
    ['v1a', ed25519Key()],
  ])('%s: accepts its own, and no change of the body, a header or the key', (_, key) => {
    const verify = createVerifier([key.shared]);
    const headers = signedHeaders(message, [key], now);
    expect(verify(from([key]))).toEqual({ ok: true });
    for (let at = 0; at < message.body.length; at += 1) {
      const body = Buffer.from(message.body);
      body[at] = (body[at] ?? 0) ^ 1;
      expect(verify(request(headers, body)), `byte ${at}`).toEqual(refused);
    }
    const signature = headers['webhook-signature'] ?? '';
    const changes: [string, string][] = [
      ['webhook-id', 'msg_2'],
      ['webhook-id', ''],
      ['webhook-timestamp', String(now.getTime() / 1_000 + 1)],
      ['webhook-timestamp', `${now.getTime() / 1_000}x`],
      ['webhook-timestamp', `0${now.getTime() / 1_000}`],
      ['webhook-timestamp', ''],
      ['webhook-signature', `${signature}x`],
      ['webhook-signature', `${signature},x`],
      ['webhook-signature', signature.replace(',', '')],
      ['webhook-signature', signature.replace(/^v1a?/, 'v2')],
      ['webhook-signature', signature.slice(0, -5)],
      ['webhook-signature', ''],
    ];
    for (const [name, value] of changes) {
      expect(verify(request({ ...headers, [name]: value }, message.body)), `${name}: ${value}`).toEqual(refused);
    }
    for (const name of Object.keys(headers)) {
      const { [name]: __, ...others } = headers;
      expect(verify(request(others, message.body)), `no ${name}`).toEqual(refused);
      const twice = { ...request(headers, message.body) };
      twice.rawHeaders = [...twice.rawHeaders, name, headers[name] ?? ''];
      expect(verify(twice), `two ${name}`).toEqual(refused);
    }
  });

  it('takes no other writing of the same Ed25519 signature', () => {
    const key = ed25519Key();
    const headers = signedHeaders(message, [key], now);
    const signature = headers['webhook-signature'] ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const last = alphabet[alphabet.indexOf(signature.at(-3) ?? '') + 1] ?? '';
    const same = `${signature.slice(0, -3)}${last}==`;
    expect(Buffer.from(same.slice(4), 'base64')).toEqual(Buffer.from(signature.slice(4), 'base64'));
    expect(createVerifier([key.shared])(request({ ...headers, 'webhook-signature': same }, message.body))).toEqual(
      refused,
    );
  });

  it('while rotating takes either key of ours and any of the sender’s signatures, and skips unknown versions', () => {
    const [older, newer, asymmetric, stranger] = [hmacKey(), hmacKey(), ed25519Key(), hmacKey()];
    const unknown: SigningKey = { shared: '', sign: () => 'v9,abc' };
    const verify = createVerifier([newer.shared, older.shared]);
    expect(verify(from([older]))).toEqual({ ok: true });
    expect(verify(from([newer]))).toEqual({ ok: true });
    expect(verify(from([unknown, stranger, newer]))).toEqual({ ok: true });
    expect(verify(from([stranger, unknown]))).toEqual(refused);
    expect(verify(from([asymmetric]))).toEqual(refused);
    expect(createVerifier([newer.shared, asymmetric.shared])(from([older, asymmetric]))).toEqual({ ok: true });
  });

  it.each([
    ['5 min old', -300, true],
    ['older', -301, false],
    ['5 min ahead', 300, true],
    ['further ahead', 301, false],
  ])('the time: %s', (_, seconds, ok) => {
    const key = hmacKey();
    const verdict = createVerifier([key.shared])(from([key], new Date(now.getTime() + seconds * 1_000)));
    expect(verdict.ok).toBe(ok);
  });

  it('takes no bytes that would look like others, and no id moved into the body', () => {
    const key = hmacKey();
    const verify = createVerifier([key.shared]);
    const withMark = { id: 'msg_1', body: Buffer.from('{"name":"\ufffd"}') };
    const headers = signedHeaders(withMark, [key], now);
    const body = Buffer.from([...Buffer.from('{"name":"'), 0xff, ...Buffer.from('"}')]);
    expect(verify(request(headers, withMark.body))).toEqual({ ok: true });
    expect(verify(request(headers, body))).toEqual(refused);

    const seconds = String(now.getTime() / 1_000);
    const dotted = signedHeaders({ id: `msg.${seconds}`, body: message.body }, [key], now);
    const moved = { ...dotted, 'webhook-id': 'msg' };
    expect(verify(request(moved, `${seconds}.${message.body}`))).toEqual(refused);
  });

  it('without a secret nobody is accepted, and that is our fault', () => {
    expect(createVerifier([])(from([hmacKey()]))).toEqual({ ok: false, why: 'misconfigured' });
  });
});
