import type { FileSource } from '#shared/config/sources/file.js';
import { fileDigest } from '#shared/directory/file/table.js';
import type { FileImport, Source } from '../source.js';
import { feedStream } from './poll.js';
import { type FeedForm, openFeed } from './read.js';

/** Files that another system writes: a feed of who left, and files that an operator hands over in its form. */
export function fileSource(_name: string, { feed, roster, ids, poll }: FileSource): Omit<Source, 'name'> {
  const hasIds = roster !== undefined || ids !== undefined;
  return {
    push: null,
    polls: feed === undefined || poll === null ? [] : [feedStream(feed, hasIds, poll)],
    subscriptions: null,
    imports: importOf(feed ?? { columns: {} }, hasIds),
  };
}

/** The name of a file that is handed over tells its format. */
function importOf({ columns, types }: FeedForm, hasIds: boolean): FileImport {
  return {
    digest: fileDigest,
    async *rows(path) {
      for await (const { row, read } of openFeed(path, { columns, types, format: undefined }, hasIds).rows()) {
        yield {
          number: row.number,
          entry: read.kind === 'entry' ? read.entry : null,
          faults: read.kind === 'faulty' ? read.faults : [],
        };
      }
    },
  };
}
