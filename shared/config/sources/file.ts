import { z } from 'zod';
import { lifecycleEventTypes } from '#shared/lifecycle/types.js';
import type { Finding } from '../finding.js';
import { ids, poll } from './parts.js';
import type { SourceKind } from './source-kind.js';

const filePath = z
  .string()
  .refine((text) => text.trim() !== '' && !text.includes('\0'), 'is no path (name a file)')
  .describe('The file; a relative path starts at the folder in which Sendoff is run');
const format = z
  .enum(['csv', 'json'])
  .optional()
  .describe('What the file holds, if its name does not tell: csv; or json, a list or one object in each line');
const column = z.string().trim().min(1, 'is empty (write the column’s heading)').optional();
const words = z.array(z.string().trim().min(1, 'is empty (write a value of the column)'));

const feedColumns = z
  .strictObject({
    email: column.describe('Address of the person'),
    id: column.describe('Id of the person in the directory: the roster’s, or that of `ids`'),
    type: column.describe('What happened; without such a column every row is somebody who left'),
    date: column.describe('When: 2026-11-30, or with a time. A day that has not come yet is waited for'),
  })
  .describe('Headings of the feed’s columns, where they are not email, id, type and date');

const rosterColumns = z
  .strictObject({
    id: column.describe('Id that never changes, such as the personnel number'),
    email: column.describe('Addresses, the primary one first; several apart by blanks, commas or semicolons'),
    status: column.describe('Who is active; without such a column everybody in the file is'),
    manager: column.describe('Id or address of the manager'),
    groups: column.describe('Groups, apart by `separator`; "none": the file tells of none, and nobody is in any'),
    name: column.describe('Name: "Jane Doe" or "Doe, Jane"; or firstName and lastName'),
    firstName: column.describe('First name'),
    lastName: column.describe('Last name'),
  })
  .describe('Headings of the roster’s columns, where they are not called as here');

const feed = z
  .strictObject({
    path: filePath,
    format,
    columns: feedColumns.prefault({}),
    types: z
      .record(z.string().min(1), z.enum(lifecycleEventTypes))
      .optional()
      .describe('Their word in the type column -> ours; every other is ignored. Default: our own words'),
  })
  .describe('People who join, move and leave, one in each row');

const roster = z
  .strictObject({
    path: filePath,
    format,
    columns: rosterColumns.prefault({}),
    active: words.default(['active']).describe('Values of the status column that mean active'),
    suspended: words.default(['suspended']).describe('Values that mean suspended'),
    inactive: words
      .default(['inactive', 'terminated', 'left', 'disabled', 'deactivated', 'deleted', 'archived', 'former'])
      .describe('Values that mean gone; a value in none of the three lists makes the file unreadable'),
    separator: z
      .string()
      .min(1, 'is empty (write the character between two groups)')
      .default(';')
      .describe('Between groups'),
    atLeast: z
      .int()
      .min(1, 'is below 1 (write how many people there are at the least)')
      .default(1)
      .describe('Fewer people than this are no whole roster'),
  })
  .describe('Everybody, as a directory for companies without an API');

const schema = z
  .strictObject({
    type: z.literal('file').describe('CSV or JSON files that another system writes'),
    feed: feed.optional(),
    roster: roster.optional(),
    ids,
    poll: poll
      .prefault('60s')
      .describe('How often the feed is looked at, at least 1s; "off": only by `sendoff events import`'),
  })
  .describe('A leavers feed, a roster, or both, as CSV or JSON files');

export type FileSource = z.infer<typeof schema>;
export type FeedConfig = z.infer<typeof feed>;
export type RosterConfig = z.infer<typeof roster>;

export const file: SourceKind<typeof schema> = {
  schema,
  urls: [],
  noDirectory: ({ roster: written }) =>
    written === undefined
      ? 'names files without a roster (add roster to it, or name a source that has a directory)'
      : null,
  subscribes: () => false,
  findings: (source, path) => [...partFindings(source, path), ...statusFindings(source.roster, [...path, 'roster'])],
  notices: () => [],
};

function partFindings(
  { feed: hasFeed, roster: hasRoster, ids: written }: Record<string, unknown>,
  path: string[],
): Finding[] {
  if (hasFeed === undefined && hasRoster === undefined) {
    return [{ path, text: 'names no file (add feed, roster, or both)' }];
  }
  if (written === undefined || hasRoster === undefined) return [];
  return [
    { path: [...path, 'ids'], text: 'does not go with roster (remove it: ids of the feed are those of the roster)' },
  ];
}

/** One word can't mean two things. */
function statusFindings(written: unknown, path: string[]): Finding[] {
  const parsed = roster.safeParse(written);
  if (!parsed.success) return [];
  const seen = new Map<string, string>();
  return (['active', 'suspended', 'inactive'] as const).flatMap((list) =>
    parsed.data[list].flatMap((word, index): Finding[] => {
      const key = word.toLowerCase();
      const other = seen.get(key);
      seen.set(key, list);
      if (other === undefined || other === list) return [];
      const isWritten = typeof written === 'object' && written !== null && list in written;
      return [
        {
          path: isWritten ? [...path, list, index] : path,
          text: `has a word of ${other} in ${list} too (keep it in one of them)`,
        },
      ];
    }),
  );
}
