import { DirectoryUnavailable } from '#shared/directory/directory.js';
import { type DuoAnswer, type DuoClient, rights } from '#shared/directory/duo/client.js';
import { DuoUsers } from '#shared/directory/duo/schema.js';
import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import { CursorLost, type Page, type PollStream } from '../source.js';
import { normalizeActivity, normalizeAdministrator, usernamesIn } from './normalize.js';
import { DuoActivityPage } from './schema.js';

/** Duo does not show the last two minutes (idp-events.md §5). */
const settledMs = 2 * 60_000;
/** What appears later still is found by looking back once more; known ids are duplicates. */
const overlapMs = 10 * 60_000;
const firstLookMs = 60 * 60_000;
/** After a long absence the log is read day by day, so that a failure costs one day at the most. */
const windowMs = 24 * 60 * 60_000;
/** Duo keeps no more. */
const keptMs = 180 * 24 * 60 * 60_000;
const activityLimit = 1_000;
const maxPages = 500;
/** What the older log gives at once: its earliest rows since `mintime`. */
const administratorLimit = 1_000;
/** Rows stored together, so that looking up their users takes less than a lease. */
const chunk = 50;

/** The log of what administrators, syncs and users did. The cursor is the time up to which it was read, in ms. */
export function activityStream(name: string, client: DuoClient, everyMs: number, now = Date.now): PollStream {
  return {
    task: 'activity-log',
    everyMs,
    async *pages(cursor) {
      const until = now() - settledMs;
      let from = placeOf(cursor, until);
      while (from < until) {
        const to = Math.min(from + windowMs, until);
        const isAllowed = yield* activity(name, client, from, to);
        if (!isAllowed) return yield* administrator(name, client, from, until);
        from = to;
      }
    },
  };
}

function placeOf(cursor: string | null, until: number): number {
  if (cursor === null) return until - firstLookMs;
  if (!/^\d{1,15}$/.test(cursor)) throw new CursorLost('the cursor is no time');
  return Math.max(Number(cursor), until - keptMs + overlapMs);
}

/**
 * One window. In whichever order Duo lists it, the cursor moves only behind the whole.
 * @returns false when Duo does not show this log here, as in older editions
 */
async function* activity(
  name: string,
  client: DuoClient,
  from: number,
  to: number,
): AsyncGenerator<Page, boolean, undefined> {
  const window = { mintime: String(from - overlapMs), maxtime: String(to), limit: String(activityLimit) };
  const offsets = new Set<string>();
  for (let offset: string | null = null; ; ) {
    const parameters = { ...window, sort: 'ts:asc', ...(offset === null ? {} : { next_offset: offset }) };
    const answer = await client.ask('/admin/v2/logs/activity', parameters);
    if (answer.kind !== 'ok') {
      if (offset === null) return false;
      throw unclear(name, 'the activity log broke off in the middle');
    }
    const page = DuoActivityPage.safeParse(answer.response);
    if (!page.success) throw unclear(name, 'the activity log has not the documented form');
    offset = page.data.metadata?.next_offset || null;
    yield { entries: normalizeActivity(page.data.items), cursor: String(offset === null ? to : from) };
    if (offset === null) return true;
    if (offsets.has(offset) || offsets.size >= maxPages) throw unclear(name, 'the activity log does not end');
    offsets.add(offset);
  }
}

/** The older log has no pages: whoever got all it gives at once asks on from the last row's second. */
async function* administrator(name: string, client: DuoClient, from: number, until: number): AsyncGenerator<Page> {
  let since = Math.floor((from - overlapMs) / 1_000);
  for (;;) {
    const answer = await client.ask('/admin/v1/logs/administrator', { mintime: String(since) });
    const rows = rowsIn(name, answer);
    for (let at = 0; at < rows.length; at += chunk) {
      const entries = await named(name, client, rows.slice(at, at + chunk));
      yield { entries, cursor: String(Math.min(Math.max(from, since * 1_000), until)) };
    }
    if (rows.length < administratorLimit) break;
    since = Math.max(since + 1, ...rows.map(secondOf));
  }
  yield { entries: [], cursor: String(until) };
}

async function named(name: string, client: DuoClient, rows: unknown[]): Promise<NormalizedEntry[]> {
  const ids = new Map<string, string>();
  for (const username of usernamesIn(rows)) {
    const answer = await client.ask('/admin/v1/users', { username });
    const users = answer.kind === 'ok' ? DuoUsers.safeParse(answer.response).data : undefined;
    if (users === undefined) throw unclear(name, 'users cannot be looked up by their user name');
    const [user, ...others] = users;
    if (user !== undefined && others.length === 0) ids.set(username, user.user_id);
  }
  return normalizeAdministrator(rows, ids);
}

function rowsIn(name: string, answer: DuoAnswer): unknown[] {
  if (answer.kind !== 'ok') {
    throw unclear(name, `Duo refuses both of its logs: the Admin API application lacks the right “${rights.log}”`);
  }
  if (!Array.isArray(answer.response)) throw unclear(name, 'the administrator log has not the documented form');
  return answer.response;
}

function secondOf(row: unknown): number {
  const { timestamp } = (row ?? {}) as { timestamp?: unknown };
  return typeof timestamp === 'number' && Number.isSafeInteger(timestamp) ? timestamp : 0;
}

function unclear(name: string, why: string): DirectoryUnavailable {
  return new DirectoryUnavailable(`the log of ${name} gave no clear answer: ${why}`, 30_000, {
    code: 'DIRECTORY_UNCLEAR',
    blame: 'remote',
  });
}
