import { describe, expect, it } from 'vitest';
import { assertSmall, presentable } from './present.js';

describe('a text from outside, as a model gets it', () => {
  it('has nothing in it that a reader would not see', () => {
    const tags = [...'run'].map((letter) => String.fromCodePoint(0xe0000 + (letter.codePointAt(0) ?? 0))).join('');
    expect(presentable(`a\u202eb\u200bc${tags}d\ue000`)).toBe('a\ufffdb\ufffdc\ufffd\ufffd\ufffdd\ufffd');
    expect(presentable('a\nb\u0007c\u2028d')).toBe('a b c d');
  });

  it('keeps names as they are written', () => {
    for (const name of ['Zoë Müller-Østergård', 'می\u200cخواهم', '👩\u200d💻', '李 小龍'])
      expect(presentable(name)).toBe(name);
  });

  it('is cut where it is long, wherever it stands, and what is no text stays', () => {
    const { list, count, none } = presentable({ list: [{ text: 'x'.repeat(5_000) }], count: 3, none: null });
    expect([list[0]?.text.length, count, none]).toEqual([1_001, 3, null]);
    expect(presentable({ ['k\u202e']: 1 })).toEqual({ 'k\ufffd': 1 });
  });

  it('makes a result of 200 kB at the most', () => {
    expect(() => assertSmall('x'.repeat(200_000))).not.toThrow();
    expect(() => assertSmall('x'.repeat(200_001))).toThrow(/larger than 200 kB/);
  });
});
