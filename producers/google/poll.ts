import { z } from 'zod';
import type { GoogleClient, Page as GooglePage } from '#shared/directory/google/client.js';
import { GoogleUnavailable } from '#shared/directory/google/failure.js';
import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import { CursorLost, type Page, type PollStream } from '../source.js';
import { parseJson } from '../untrusted.js';
import { normalizeActivity, normalizeDeleted } from './normalize.js';
import { DeletedUser } from './schema.js';

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;
/** Activities show up late (idp-events.md §3.2): what was asked for is asked for again, for so long. */
const activityOverlapMs = hourMs;
/** Google keeps them for 180 days and refuses to be asked for more. */
const retentionMs = 179 * dayMs;
/** The list of the deleted is read whole; those of the last day are looked at again. */
const deletedOverlapMs = dayMs;
/** It only finds what neither a channel nor the audit log told, so it is read so much less often. */
const deletedEvery = 6;
const maxPages = 1_000;

/**
 * Both lists begin with the newest, so a cursor has two parts: `since`, behind which everything is stored, moves only with
 * a walk's last page; until then `walk` says which walk is under way and which page comes next.
 */
const Cursor = z.strictObject({
  since: z.coerce.date(),
  walk: z.strictObject({ start: z.coerce.date(), end: z.coerce.date(), pageToken: z.string() }).nullable(),
});
type Cursor = z.infer<typeof Cursor>;

interface Walk {
  start: Date;
  end: Date;
}

/** What administrators did: the admin application's audit log. */
export function activityStream(client: GoogleClient, everyMs: number, now: () => Date): PollStream {
  return {
    task: 'activities',
    everyMs,
    pages: (cursor) =>
      walkedPages(cursor, {
        begin: (since) => {
          const end = now();
          const start = new Date(Math.max(since.getTime() - activityOverlapMs, end.getTime() - retentionMs));
          return { start, end };
        },
        now,
        ask: ({ start, end }, pageToken) => client.activityPage({ start, end, pageToken }),
        entries: (items) => items.flatMap(normalizeActivity),
      }),
  };
}

/** Who was deleted, whether or not anything told of it. */
export function deletedStream(client: GoogleClient, everyMs: number, now: () => Date): PollStream {
  return {
    task: 'deleted-users',
    everyMs: everyMs * deletedEvery,
    pages: (cursor) =>
      walkedPages(cursor, {
        begin: (since) => ({ start: new Date(since.getTime() - deletedOverlapMs), end: now() }),
        now,
        ask: (_, pageToken) => client.userPage({ deleted: true, pageToken }),
        entries: (items, { start }) => items.filter((item) => isSince(item, start)).map(normalizeDeleted),
      }),
  };
}

/** One that can't be read is not left out: it is quarantined. */
function isSince(item: unknown, start: Date): boolean {
  const user = DeletedUser.safeParse(item);
  return !user.success || new Date(user.data.deletionTime) >= start;
}

interface Walking {
  /** A walk that covers everything since then, with overlap. */
  begin(since: Date): Walk;
  now(): Date;
  ask(walk: Walk, pageToken: string | null): Promise<GooglePage>;
  entries(items: unknown[], walk: Walk): NormalizedEntry[];
}

async function* walkedPages(text: string | null, { begin, now, ask, entries }: Walking): AsyncGenerator<Page> {
  const cursor = text === null ? { since: now(), walk: null } : read(text);
  let walk: Walk = cursor.walk ?? begin(cursor.since);
  let pageToken = cursor.walk?.pageToken ?? null;
  let isResumed = cursor.walk !== null;
  for (let count = 0; count < maxPages; count += 1) {
    let page: GooglePage;
    try {
      page = await ask(walk, pageToken);
    } catch (error) {
      if (!isResumed || !isForgotten(error)) throw error;
      // The place in the list is no longer known; the time is: the walk begins again, and what is stored is stored once.
      isResumed = false;
      pageToken = null;
      walk = begin(cursor.since);
      continue;
    }
    isResumed = false;
    pageToken = page.next;
    const next: Cursor =
      pageToken === null
        ? { since: walk.end, walk: null }
        : { since: cursor.since, walk: { start: walk.start, end: walk.end, pageToken } };
    yield { entries: entries(page.items, walk), cursor: JSON.stringify(next) };
    if (pageToken === null) return;
  }
}

function read(text: string): Cursor {
  const cursor = Cursor.safeParse(parseJson(text));
  if (cursor.success) return cursor.data;
  throw new CursorLost('the place in Google’s list can’t be read');
}

/** What Google says to a page token that is too old or not its own. */
function isForgotten(error: unknown): boolean {
  return error instanceof GoogleUnavailable && (error.status === 400 || error.status === 410);
}
