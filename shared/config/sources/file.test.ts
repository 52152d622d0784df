import { describe, expect, it } from 'vitest';
import { file } from './file.js';

const texts = (source: Record<string, unknown>) =>
  file.findings(source, ['sources', 'hr']).map(({ path, text }) => `${path.join('.')}: ${text}`);

describe('shared/config/sources/file', () => {
  it('reads with nothing but a path', () => {
    expect(file.schema.parse({ type: 'file', roster: { path: 'r.csv' }, feed: { path: 'f.csv' } })).toMatchObject({
      poll: 60_000,
      roster: { active: ['active'], separator: ';', atLeast: 1, columns: {} },
      feed: { columns: {} },
    });
  });

  it('needs a feed or a roster, and a roster to be the authority', () => {
    expect(texts({ type: 'file' })).toEqual([expect.stringContaining('add feed, roster, or both')]);
    expect(file.noDirectory({ feed: { path: 'f.csv' } })).toContain('without a roster');
    expect(file.noDirectory({ roster: { path: 'r.csv' } })).toBeNull();
  });

  it('ids of a feed are those of its roster', () => {
    expect(texts({ feed: { path: 'f' }, ids: 'okta' })).toEqual([]);
    expect(texts({ roster: { path: 'r' }, ids: 'okta' })).toEqual([
      expect.stringMatching(/^sources\.hr\.ids: does not go/),
    ]);
  });

  it('no word means two things', () => {
    expect(texts({ roster: { path: 'r', active: ['here'], suspended: ['Here'] } })).toEqual([
      'sources.hr.roster.suspended.0: has a word of active in suspended too (keep it in one of them)',
    ]);
    expect(texts({ roster: { path: 'r', active: ['left'] } })).toEqual([
      'sources.hr.roster: has a word of active in inactive too (keep it in one of them)',
    ]);
  });
});
