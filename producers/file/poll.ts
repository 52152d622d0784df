import { createHash } from 'node:crypto';
import type { FeedConfig } from '#shared/config/sources/file.js';
import { fileDigest } from '#shared/directory/file/table.js';
import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import type { Page, PollStream } from '../source.js';
import { quarantined } from './normalize.js';
import { openFeed } from './read.js';

const pageSize = 500;

/**
 * A feed that another system writes: read whole whenever it holds something else, or when a day has come that it names.
 * Rows that were read before are duplicates by their ids.
 */
export function feedStream(feed: FeedConfig, hasIds: boolean, everyMs: number): PollStream {
  // Read otherwise, the same bytes say something else.
  const form = sha256(JSON.stringify([feed.path, feed.format, feed.columns, feed.types, hasIds])).slice(0, 16);
  return {
    task: 'feed',
    everyMs,
    async *pages(cursor): AsyncGenerator<Page> {
      if (isRead(cursor, form, await fileDigest(feed.path))) return;
      const open = openFeed(feed.path, feed, hasIds);
      let entries: NormalizedEntry[] = [];
      let next = Number.POSITIVE_INFINITY;
      for await (const { row, read } of open.rows()) {
        if (read.kind === 'later') next = Math.min(next, read.from.getTime());
        else entries.push(read.kind === 'entry' ? read.entry : quarantined(row, read.faults));
        if (entries.length < pageSize) continue;
        // Half a file is not read: the cursor stays where it was until its end.
        yield { entries, cursor: cursor ?? '' };
        entries = [];
      }
      yield {
        entries,
        cursor: [form, open.digest(), next === Number.POSITIVE_INFINITY ? '-' : new Date(next).toISOString()].join(' '),
      };
    },
  };
}

function isRead(cursor: string | null, form: string, digest: string): boolean {
  const [readForm, readDigest, next = '-'] = (cursor ?? '').split(' ');
  return readForm === form && readDigest === digest && (next === '-' || new Date(next) > new Date());
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
