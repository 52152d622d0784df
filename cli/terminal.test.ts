import { describe, expect, it } from 'vitest';
import { cut, lookOf, padded, widthOf } from './terminal.js';

describe('the width of a text', () => {
  it.each([
    ['plain', 5],
    ['Zoë', 3],
    ['Zoe\u0308', 3],
    ['木村', 4],
    ['ｱ', 1],
    ['👩‍💻 ok', 5],
    ['한국', 4],
    ['\u200b', 0],
    ['…', 1],
  ])('%s takes %i columns', (text, width) => expect(widthOf(text)).toBe(width));
});

describe('a text', () => {
  it('is cut between characters, never within one', () => {
    expect(cut('abcdef', 6)).toBe('abcdef');
    expect(cut('abcdef', 4)).toBe('abc…');
    expect(cut('木村さん', 6)).toBe('木村…');
    expect(cut('a👩‍💻bc', 3)).toBe('a…');
  });

  it('is padded by its width', () => expect(padded('木', 4)).toBe('木  '));
});

describe('a stream', () => {
  const terminal = (hasColors: boolean) =>
    ({ isTTY: true, columns: 80, hasColors: () => hasColors }) as unknown as NodeJS.WriteStream;

  it('shows colours if it is a terminal that has them, and is as wide as it is', () => {
    expect(lookOf(terminal(true))).toEqual({ colours: true, columns: 80 });
    expect(lookOf(terminal(false))).toEqual({ colours: false, columns: 80 });
    expect(lookOf({ isTTY: false } as NodeJS.WriteStream)).toEqual({ colours: false, columns: null });
  });
});
