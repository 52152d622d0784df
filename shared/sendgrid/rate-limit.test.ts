import { describe, expect, it } from 'vitest';
import { rateLimitIn, waitAfter429 } from './rate-limit.js';

const now = Date.parse('2026-11-24T12:00:00Z');
const seconds = now / 1_000;

describe('waitAfter429', () => {
  it.each([
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['Retry-After before the reset', { 'retry-after': '7', 'x-ratelimit-reset': String(seconds + 60) }, 7_000],
    ['a date', { 'retry-after': 'Tue, 24 Nov 2026 12:00:09 GMT' }, 9_000],
    ['the reset', { 'x-ratelimit-reset': String(seconds + 3) }, 3_000],
    [
      'the reset by the server’s clock',
      { date: 'Tue, 24 Nov 2026 11:00:00 GMT', 'x-ratelimit-reset': String(seconds - 3_590) },
      10_000,
    ],
    ['a reset in the past', { 'x-ratelimit-reset': String(seconds - 5) }, 250],
    ['a reset far away', { 'x-ratelimit-reset': String(seconds + 86_400) }, 300_000],
    ['a long Retry-After', { 'retry-after': '99999' }, 300_000],
    ['nonsense', { 'retry-after': 'soon', 'x-ratelimit-reset': '-1' }, null],
    ['nothing', {}, null],
  ])('%s', (_, headers, wait) => expect(waitAfter429(headers, now)).toBe(wait));
});

describe('rateLimitIn', () => {
  const whole = { 'x-ratelimit-limit': '600', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' };
  it('reads all three or nothing', () => {
    expect(rateLimitIn(whole)).toEqual({ quota: 600, remaining: 0, resetAt: 1, serverNow: null });
    for (const name of Object.keys(whole)) {
      for (const bad of [undefined, '', '-1', 'x', '1.5', ['1', '2']])
        expect(rateLimitIn({ ...whole, [name]: bad })).toBeNull();
    }
    expect(rateLimitIn({ ...whole, 'x-ratelimit-limit': '0' })).toBeNull();
  });
});
