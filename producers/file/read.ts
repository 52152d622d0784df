import type { FeedConfig } from '#shared/config/sources/file.js';
import { openTable, type Table } from '#shared/directory/file/table.js';
import { type FeedColumn, type FeedRow, type Reading, type ReadRow, readRow } from './normalize.js';

const maxBytes = 512 * 2 ** 20;

/** How a feed's files are read: the configured one, and those that are handed over. */
export type FeedForm = Pick<FeedConfig, 'columns' | 'types' | 'format'>;

export interface Feed {
  rows(): AsyncGenerator<{ row: FeedRow; read: ReadRow }>;
  /** Known behind the last row. */
  digest(): string;
}

/** @param hasIds is there a directory whose ids the feed's are? */
export function openFeed(path: string, { columns, types, format }: FeedForm, hasIds: boolean): Feed {
  const table: Table<FeedColumn> = openTable({
    path,
    format,
    columns: {
      email: { heading: columns.email, need: hasIds ? 'telling' : 'required' },
      id: { heading: columns.id, need: 'optional' },
      type: { heading: columns.type, need: 'telling' },
      date: { heading: columns.date, need: 'telling' },
    },
    maxBytes,
    ended: false,
  });
  return {
    digest: table.digest,
    async *rows() {
      const reading: Reading = { headings: {}, types: types ?? null, hasIds, now: new Date() };
      for await (const row of table.rows()) {
        reading.headings = table.headings();
        yield { row, read: readRow(row, reading) };
      }
    },
  };
}
