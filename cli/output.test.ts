import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SendoffError } from '#shared/errors.js';
import { reportFailure } from './output.js';

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
