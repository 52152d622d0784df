import { describe, expect, it } from 'vitest';
import { presentable, scrubber } from './redact.js';

const pem = [
  '-----BEGIN PRIVATE KEY-----',
  'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw',
  'c2Vjb25kbGluZW9mdGhlcHJpdmF0ZWtleQ==',
  '-----END PRIVATE KEY-----',
  '',
];

describe('scrubber', () => {
  const secret = 'pä"ss/w+rd \\1?';
  const forms: [string, string][] = [
    ['as it is', secret],
    ['in JSON', JSON.stringify({ a: secret })],
    ['in JSON within JSON', JSON.stringify({ a: JSON.stringify({ a: secret }) })],
    ['as part of a URL', `https://x/?q=${encodeURIComponent(secret)}`],
    [
      'as part of a URL, in small letters',
      `https://x/?q=${encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase())}`,
    ],
    ['as a path', encodeURI(secret)],
    ['as a form', new URLSearchParams({ a: secret }).toString()],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in base64url', Buffer.from(secret).toString('base64url')],
  ];

  it.each(forms)('finds a secret %s', (_how, text) => {
    const clean = scrubber([secret])(`before ${text} after`);
    expect(clean).toMatch(/^before .*\[redacted\].* after$/);
    for (const [, form] of forms) expect(clean).not.toContain(form);
  });

  it.each([0, 1, 2, 3])('finds a secret in the middle of base64, %d bytes in', (before) => {
    const known = 'a-rather-long-secret';
    const text = Buffer.from(`${'x'.repeat(before)}${known}:tail`).toString('base64');
    const clean = scrubber([known])(text);
    expect(clean).toContain('[redacted]');
    expect(Buffer.from(clean.replace('[redacted]', ''), 'base64').toString()).not.toContain('rather');
  });

  it('finds a key of several lines whole, line by line, and with its line breaks written out', () => {
    const scrub = scrubber([pem.join('\n')]);
    expect(scrub(pem.join('\n'))).toBe('[redacted]');
    for (const text of [pem.join('\r\n'), pem.join('\\n'), `error near ${pem[1]}`, JSON.stringify(pem)]) {
      expect(scrub(text)).not.toMatch(/MIIEvQ|c2Vjb25k/);
    }
  });

  it('leaves nothing of two secrets that overlap', () => {
    expect(scrubber(['abcdefgh', 'efghijkl', 'cdef'])('1 abcdefghijkl 2 cdefgh 3')).toBe(
      '1 [redacted] 2 [redacted]gh 3',
    );
  });

  it('takes out keys and tokens that nobody told it of', () => {
    const text =
      'SG.aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb and Authorization: SSWS 00abcdefghijklmnop, Bearer eyJhbGciOi.J9-abc_def=';
    expect(scrubber([])(text)).toBe('[redacted] and Authorization: [redacted], [redacted]');
  });

  it('leaves other texts, and ignores secrets too short to be told from words', () => {
    const text = 'a job failed: Bearer token missing, SG.short.x, abc';
    expect(scrubber(['', '   ', 'abc', 'never-here'])(text)).toBe(text);
  });
});

describe('presentable', () => {
  const scrub = scrubber(['known-value']);
  const show = (value: unknown) => presentable(value, scrub);

  it('keeps plain values, and cuts known secrets out of texts and names', () => {
    const at = new Date('2026-01-02T03:04:05Z');
    expect(show({ a: 1, b: 'x known-value y', c: [true, null], 'known-value': 2, at, n: 5n })).toEqual({
      a: 1,
      b: 'x [redacted] y',
      c: [true, null],
      '[redacted]': 2,
      at: '2026-01-02T03:04:05.000Z',
      n: '5',
    });
  });

  it.each([
    'authorization',
    'Authorization',
    'AUTHORIZATION',
    'proxy-authorization',
    'Set-Cookie',
    'x-api-key',
    'apiKey',
    'access_token',
    'clientSecret',
    'PASSWORD',
    'privateKey',
    'client_assertion',
    'SENDOFF_ADMIN_TOKEN',
  ])('blanks out %s at any depth', (name) => {
    expect(JSON.stringify(show({ a: [{ b: { [name]: 'unknown-to-all' } }] }))).not.toContain('unknown');
  });

  it('tells that a secret is there or not', () => {
    expect(show({ hasToken: true, token: null })).toEqual({ hasToken: true, token: null });
  });

  it('leaves out what carries requests, and names other objects by their kind', () => {
    class Client {
      key = 'unknown-to-all';
    }
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(
      show({
        headers: { x: 1 },
        request: 'req-1',
        config: 'sendoff.yaml',
        req: { x: 1 },
        client: new Client(),
        map: new Map(),
        bytes: Buffer.from('x'),
      }),
    ).toEqual({
      headers: '[left out]',
      request: 'req-1',
      config: 'sendoff.yaml',
      req: '[left out]',
      client: '[Client]',
      map: '[Map]',
      bytes: '[Buffer]',
    });
    expect(JSON.stringify(show(loop))).toContain('[deeper]');
  });
});
