import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SendoffError } from '#shared/errors.js';
import { reportFailure, table } from './output.js';
import { plain } from './terminal.js';

const columns = [
  { title: 'STATE', value: (one: { state: string; text: string }) => one.state, isState: true },
  { title: 'WHAT', value: (one: { state: string; text: string }) => one.text },
];
const rows = [
  { state: 'settled', text: 'short' },
  { state: 'held', text: 'a text that is longer than the terminal is wide' },
];
const esc = String.fromCharCode(27);

describe('a table', () => {
  it('in a file is plain and whole', () => {
    expect(table(rows, columns, 'none', plain).split('\n')).toEqual([
      'STATE    WHAT',
      'settled  short',
      'held     a text that is longer than the terminal is wide',
    ]);
    expect(table([], columns, 'none', plain)).toBe('none');
  });

  it('on a terminal colours states and ends where the terminal does', () => {
    const [, settled, held] = table(rows, columns, 'none', { colours: true, columns: 30 }).split('\n');
    expect(settled).toBe(`${esc}[32msettled${esc}[39m  short`);
    expect(held).toBe(`${esc}[33mheld   ${esc}[39m  a text that is longe…`);
  });

  it('runs on where a column would be too narrow to say anything', () => {
    const lines = table(rows, columns, 'none', { colours: false, columns: 15 }).split('\n');
    expect(lines[2]).toContain('is wide');
  });

  it('lines up what is wide, and lets no name move the cursor', () => {
    const wide = [
      { state: '木村さん', text: 'x' },
      { state: `a${esc}[2J\nb`, text: 'y' },
    ];
    expect(table(wide, columns, '', plain).split('\n')).toEqual([
      'STATE     WHAT',
      '木村さん  x',
      `a\ufffd[2J\ufffdb   y`,
    ]);
  });
});

describe('an exit code', () => {
  afterEach(() => vi.restoreAllMocks());
  it.each([
    ['PLAN_CHANGED', 'input', 3],
    ['SAME_PERSON', 'input', 3],
    ['PLAN_NOT_HELD', 'input', 1],
    ['PLAN_NOT_HELD', 'remote', 1],
    ['ROLE_MISSING', 'input', 2],
    ['SIGNING_KEY_MISSING', 'remote', 2],
    ['SERVER_UNREACHABLE', 'remote', 1],
  ] as const)('of %s (%s) is %i', (code, blame, expected) => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(reportFailure(new SendoffError('no', { code, blame }))).toBe(expected);
  });
});

let said = '';
beforeEach(() => {
  said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('what a command says when it fails', () => {
  it('names the database that does not answer, and what to do, whatever Node leaves out', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
    const both = Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' });
    expect(reportFailure(both)).toBe(1);
    expect(said).toBe('sendoff: connect ECONNREFUSED 127.0.0.1:1\n  → start the database, or correct DATABASE_URL\n');
  });

  it.each([
    ['input', 'NOT_FOUND', 2],
    ['remote', 'PLAN_CHANGED', 3],
    ['remote', 'NO_WORKER', 1],
    ['remote', 'DATA_FOLDER_OWNED', 2],
  ] as const)('exits for a failure by %s (%s) with %i', (blame, code, exit) => {
    expect(reportFailure(new SendoffError('no', { blame, code, remedy: 'do this' }))).toBe(exit);
    expect(said).toBe('sendoff: no\n  → do this\n');
  });
});
