import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isHarmless, onlyHeader, parseJson, poison, unreadable, verifyHeader } from './untrusted.js';

const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

describe('producers/untrusted', () => {
  it.each([deep(33), deep(10_000), '{"a":{"__proto__":{"x":1}}}', '[{"constructor":1}]'])(
    'takes %.30s for poison, and writes it down nonetheless',
    (text) => {
      const value = parseJson(text);
      expect(isHarmless(value)).toBe(false);
      const entry = poison(value, 'the event');
      expect(entry).toMatchObject({ outcome: 'quarantined', reason: expect.stringContaining('the event is nested') });
      expect(parseJson(entry.raw)).toBeDefined();
      expect(poison(parseJson(text), 'the event').eventId).toBe(entry.eventId);
      expect(({} as Record<string, unknown>).x).toBeUndefined();
    },
  );

  it.each([deep(32), '{"prototype":1}', 'null', '7', '"__proto__"'])('takes %.30s for harmless', (text) => {
    expect(isHarmless(parseJson(text))).toBe(true);
  });

  it('knows what cannot be read by its bytes, whatever is said of it', () => {
    expect(unreadable('a', 'x').eventId).toBe(unreadable('a', 'y').eventId);
    expect(unreadable('b', 'x').eventId).not.toBe(unreadable('a', 'x').eventId);
    expect(parseJson('{')).toBeUndefined();
  });

  it('reads a header that came once, in whichever case, and no other', () => {
    expect(onlyHeader(['Host', 'h', 'AUTHORIZATION', 's'], 'authorization')).toBe('s');
    expect(onlyHeader(['authorization', 's', 'Authorization', 's'], 'authorization')).toBeNull();
    // A value that is called like the header is none.
    expect(onlyHeader(['x', 'authorization', 's', 'y'], 'authorization')).toBeNull();
  });

  it.each<[string, string[], string[], object]>([
    ['the secret', ['authorization', 'new'], ['new', 'old'], { ok: true }],
    ['the one before it', ['authorization', 'old'], ['new', 'old'], { ok: true }],
    ['another', ['authorization', 'older'], ['new', 'old'], { ok: false, why: 'unauthenticated' }],
    ['none', [], ['new'], { ok: false, why: 'unauthenticated' }],
    ['an empty one', ['authorization', ''], ['new'], { ok: false, why: 'unauthenticated' }],
    ['an empty one where none is configured', ['authorization', ''], [''], { ok: false, why: 'misconfigured' }],
  ])('%s', (_, rawHeaders, secrets, verdict) => {
    expect(verifyHeader(rawHeaders, 'authorization', secrets)).toEqual(verdict);
  });

  /** Whoever compares a secret by `===` tells by the time it takes how much of it was right. */
  it('no source compares a secret by itself', () => {
    const folders = readdirSync(new URL('.', import.meta.url), { withFileTypes: true }).filter((one) =>
      one.isDirectory(),
    );
    const files = folders
      .filter(({ name }) => name !== 'web')
      .map(({ name }) => new URL(`${name}/verify.ts`, import.meta.url));
    const texts = files.flatMap((file) => {
      try {
        return [readFileSync(file, 'utf8')];
      } catch {
        return [];
      }
    });
    expect(texts.length).toBeGreaterThanOrEqual(6);
    for (const text of texts)
      expect(text).not.toMatch(/(secret|token|clientState|given|state)\w*\s*[!=]==\s*(?![\s'n]|undefined)/i);
  });
});
