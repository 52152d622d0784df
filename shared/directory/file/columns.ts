import { nearest } from '#shared/config/nearest.js';
import { TableError } from './table-parts.js';

export interface WantedColumn {
  /** As configured; undefined: called as the key. */
  heading: string | undefined;
  /** `required`: no file without it. `telling`: that it is missing means something, so it must not be misspelt. */
  need: 'required' | 'telling' | 'optional';
  /** What to do if there is none. */
  without?: string;
}

export type WantedColumns<Key extends string> = Partial<Record<Key, WantedColumn>>;
export type ColumnPlaces<Key extends string> = Partial<Record<Key, { index: number; heading: string }>>;

/**
 * Where each wanted column stands. Headings are compared without case.
 * @throws TableError when one that must be there is not
 */
export function placesOf<Key extends string>(
  path: string,
  headings: readonly string[],
  wanted: WantedColumns<Key>,
): ColumnPlaces<Key> {
  const places: ColumnPlaces<Key> = {};
  for (const [key, column] of Object.entries(wanted) as [Key, WantedColumn][]) {
    const { heading = key, need, without } = column;
    const at = headings.flatMap((one, index) => (sameHeading(one, heading) ? [index] : []));
    const [index] = at;
    if (at.length > 1) {
      throw new TableError(
        path,
        `has ${at.length} columns ${quoted(heading)} in row 1`,
        'give each column its own heading',
      );
    }
    if (index !== undefined) {
      places[key] = { index, heading: headings[index] ?? heading };
      continue;
    }
    const free = headings.filter((one) => !isWanted(one, wanted));
    const near = nearest(heading, free);
    const isConfigured = column.heading !== undefined;
    if (isConfigured || need === 'required' || (need === 'telling' && near !== null)) {
      throw new TableError(
        path,
        `has no column ${quoted(heading)} in row 1`,
        [
          near === null
            ? `correct the heading, or name another under columns.${key}; there are ${headings.slice(0, 20).map(quoted).join(', ')}`
            : `did you mean ${quoted(near)}? Correct the heading, or write columns.${key}: ${quoted(near)}`,
          ...(without === undefined || isConfigured ? [] : [without]),
        ].join('; '),
      );
    }
  }
  return places;
}

function isWanted(heading: string, wanted: WantedColumns<string>): boolean {
  return Object.entries(wanted).some(([key, column]) => sameHeading(heading, column?.heading ?? key));
}

function sameHeading(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}

/** Headings come from outside: none of them may move the cursor of whoever reads this. */
function quoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  return `"${text.slice(0, 60).replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '\ufffd')}"`;
}
