import { SendGridOutage } from './errors.js';

/** The most that SendGrid gives per page. Asked for always: its real default is 50 (sendgrid.md §1.5). */
const limit = 500;
/** A walk that does not end is an error, not a list. */
const maxPages = 1_000;
/** A list that moves under every walk is taken together from so many. */
const maxWalks = 3;

type ReadPage<T> = (page: { limit: number; offset: number }) => Promise<T[]>;

interface Walk<T> {
  items: Map<string, T>;
  /** The list was seen to have at least so many items. */
  atLeast: number;
  /** Items slid past the walk: somebody was deleted meanwhile. */
  slid: boolean;
  /** Another offset brought the first page again: the list takes no offset, unless it misbehaved. */
  repeats: boolean;
}

/**
 * Reads a list by `limit` and `offset`, trusting nothing (sendgrid.md §2): a page may be shorter than asked for although
 * more follow, and items slide from one page to the one before while others are deleted. A list that proves to be longer
 * than what was got, or that slid, is walked again; what any walk saw is there. Undisturbed, a list of N takes at most
 * ceil(N/500)+1 calls. What it can't see within them: that an empty page after a full one should not have been empty.
 * @param name of the list, for the error
 * @throws SendGridOutage SENDGRID_GARBAGE when pages contradict each other every time, and what `read` throws
 */
export async function walkPages<T>(name: string, read: ReadPage<T>, keyOf: (item: T) => string): Promise<T[]> {
  const all = new Map<string, T>();
  let contradicts = false;
  for (let walks = 0; walks < maxWalks; walks += 1) {
    const { items, atLeast, slid, repeats } = await walkOnce(name, read, keyOf);
    for (const [key, item] of items) all.set(key, item);
    const missing = atLeast > items.size;
    contradicts = missing && !repeats;
    if (!missing && !slid) break;
  }
  if (contradicts) throw garbage(`${name} shows more items than it gives`);
  return [...all.values()];
}

async function walkOnce<T>(name: string, read: ReadPage<T>, keyOf: (item: T) => string): Promise<Walk<T>> {
  const walk: Walk<T> = { items: new Map(), atLeast: 0, slid: false, repeats: false };
  let firstKeys = '';
  let longest = 0;
  let lookingBack = false;
  for (let page = 0, offset = 0; page < maxPages; page += 1) {
    const got = await read({ limit, offset });
    const keys = got.map(keyOf);
    const fresh = keys.filter((key) => !walk.items.has(key));
    for (const item of got) walk.items.set(keyOf(item), item);
    if (page === 0) firstKeys = keys.join('\n');
    else walk.repeats = keys.join('\n') === firstKeys;
    if (got.length > 0) walk.atLeast = Math.max(walk.atLeast, offset + got.length);
    // Whoever stands before this page's beginning now was not on the page before: more may have slid with them.
    walk.slid ||= lookingBack && fresh.includes(keys[0] ?? '');
    if (fresh.length === 0 || walk.slid) return walk;
    longest = Math.max(longest, got.length);
    // Is a short page the last? The call that asks looks back over its edge too, if the answer fits on one page.
    lookingBack = !lookingBack && offset > 0 && got.length + 1 < longest;
    offset += lookingBack ? -1 : got.length;
  }
  throw garbage(`${name} did not end after ${maxPages} pages`);
}

function garbage(message: string): SendGridOutage {
  return new SendGridOutage(message, false, { code: 'SENDGRID_GARBAGE', blame: 'remote' });
}
