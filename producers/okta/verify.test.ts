import { describe, expect, it } from 'vitest';
import { answerChallenge, verify } from './verify.js';

const request = (...rawHeaders: string[]) => ({
  part: 'events' as const,
  headers: {},
  rawHeaders,
  query: {},
  body: Buffer.alloc(0),
});

describe('producers/okta/verify', () => {
  it.each([
    ['the current secret', ['Authorization', 'new-secret']],
    ['the previous secret while rotating', ['authorization', 'old-secret']],
  ])('accepts %s', (_, headers) => {
    expect(verify(request(...headers), ['new-secret', 'old-secret'])).toEqual({ ok: true });
  });

  it.each([
    ['no header', []],
    ['an empty one', ['Authorization', '']],
    ['another secret', ['Authorization', 'other']],
    ['another case', ['Authorization', 'NEW-SECRET']],
    ['a prefix', ['Authorization', 'new-secre']],
    ['more than the secret', ['Authorization', 'new-secret ']],
    ['two headers, one of them right', ['Authorization', 'new-secret', 'Authorization', 'x']],
    ['another header', ['X-Authorization', 'new-secret']],
  ])('refuses %s', (_, headers) => {
    expect(verify(request(...headers), ['new-secret'])).toEqual({ ok: false, why: 'unauthenticated' });
  });

  it.each([[[]], [['']], [['', '']]])('never accepts anybody without a secret of its own: %j', (secrets) => {
    expect(verify(request('Authorization', ''), secrets)).toEqual({ ok: false, why: 'misconfigured' });
  });

  it('answers a challenge with itself', () => {
    const answer = answerChallenge({ ...request(), headers: { 'x-okta-verification-challenge': 'abc' } });
    expect(answer).toMatchObject({ status: 200, body: { verification: 'abc' } });
  });

  it.each(['', 'a b', 'ä', 'a\n', 'x'.repeat(513)])('does not echo %j', (challenge) => {
    expect(answerChallenge({ ...request(), headers: { 'x-okta-verification-challenge': challenge } })).toBeNull();
  });
});
