import { describe, expect, it } from 'vitest';
import { verify } from './verify.js';

const request = (...rawHeaders: string[]) => ({
  part: 'events' as const,
  headers: {},
  rawHeaders,
  query: {},
  body: Buffer.alloc(0),
});

describe('producers/onelogin/verify', () => {
  it.each([
    ['the current secret', ['Authorization', 'Bearer new-secret']],
    ['the previous secret while rotating', ['authorization', 'Bearer old-secret']],
  ])('accepts %s', (_, headers) => {
    expect(verify(request(...headers), ['Bearer new-secret', 'Bearer old-secret'])).toEqual({ ok: true });
  });

  it.each([
    ['no header', []],
    ['an empty one', ['Authorization', '']],
    ['another secret', ['Authorization', 'Bearer other']],
    ['the secret without its scheme', ['Authorization', 'new-secret']],
    ['another case', ['Authorization', 'bearer new-secret']],
    ['a prefix', ['Authorization', 'Bearer new-secre']],
    ['more than the secret', ['Authorization', 'Bearer new-secret ']],
    ['two headers, one of them right', ['Authorization', 'Bearer new-secret', 'Authorization', 'x']],
    ['another header', ['X-Authorization', 'Bearer new-secret']],
  ])('refuses %s', (_, headers) => {
    expect(verify(request(...headers), ['Bearer new-secret'])).toEqual({ ok: false, why: 'unauthenticated' });
  });

  it.each([[[]], [['']], [['', '']]])('never accepts anybody without a secret of its own: %j', (secrets) => {
    expect(verify(request('Authorization', ''), secrets)).toEqual({ ok: false, why: 'misconfigured' });
  });
});
