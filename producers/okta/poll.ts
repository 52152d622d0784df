import { createHash } from 'node:crypto';
import { z } from 'zod';
import { systemClock } from '#shared/clock.js';
import type { OktaSource } from '#shared/config/sources/okta.js';
import { DirectoryUnavailable } from '#shared/directory/directory.js';
import { createOktaClient, type OktaClient } from '#shared/directory/okta/client.js';
import { CursorLost, type PollStream, subscriptionsTask } from '../source.js';
import { parseJson } from '../untrusted.js';
import { failedDelivery, logFilter } from './event-types.js';
import { normalizeEvents } from './normalize.js';

export const systemLogTask = 'system-log';

/** Asked again beyond a point in time: clocks differ, and what is known already is a duplicate. */
const overlapMs = 15 * 60_000;
/** What is older is not in the log any more. */
const retentionMs = 90 * 24 * 3_600_000;
const pageSize = 500;
/** A run ends after so many; the next goes on from there. */
const maxPages = 400;
/** Okta itself gives up a query after 30 s. */
const timeoutMs = 35_000;

/** Where we are in the log. */
const Place = z.object({
  /** Okta's own link to what comes next: never made by hand. */
  next: z.string(),
  /** Until then everything was seen, by our clock: when Okta knows the link no more, it is asked by time. */
  seenUntil: z.iso.datetime().transform((text) => new Date(text).getTime()),
  /** The link carries the filter with which it began. */
  filter: z.string(),
});
type Place = z.infer<typeof Place>;

/**
 * The System Log as one list that never ends: a "polling request", which gives every event in the order in which Okta
 * wrote them down, late ones included. A request bounded in time would miss those (idp-events.md §1.5).
 */
export function systemLog(
  name: string,
  config: OktaSource & { poll: number },
  { clock = systemClock, client }: { clock?: typeof systemClock; client?: OktaClient } = {},
): PollStream {
  const app = config.app ?? null;
  const filter = logFilter(app);
  const filterId = createHash('sha256').update(filter).digest('hex').slice(0, 12);
  let made = client;
  const log = (): OktaClient => {
    made ??= createOktaClient(name, config, { scopes: ['okta.logs.read'], timeoutMs });
    return made;
  };
  const now = (): number => clock.now().getTime();
  const since = (time: number) => {
    const query = new URLSearchParams({
      since: new Date(time - overlapMs).toISOString(),
      sortOrder: 'ASCENDING',
      limit: String(pageSize),
      filter,
    });
    return log().page(`${config.orgUrl}/api/v1/logs?${query}`);
  };

  const goOn = async (place: Place) => {
    if (place.filter !== filterId) return since(place.seenUntil);
    try {
      return await log().page(place.next);
    } catch (error) {
      // How long a link lives is not documented.
      if (isRefusedLink(error)) return since(place.seenUntil);
      throw error;
    }
  };

  return {
    task: systemLogTask,
    everyMs: config.poll,
    async *pages(cursor) {
      const place = cursor === null ? null : placeOf(cursor, config.orgUrl, now());
      let asked = now();
      let seenUntil = place?.seenUntil ?? asked;
      let page = place === null ? await since(asked) : await goOn(place);
      for (let count = 1; ; count += 1) {
        const { items, next } = page;
        // Only a page with nothing on it says that there is no more, for the time being.
        if (items.length === 0) seenUntil = asked;
        const here = { next, seenUntil: new Date(seenUntil).toISOString(), filter: filterId };
        const entries = normalizeEvents(items, app);
        // What was in a delivery that failed stands in this log too; why the hook fails has to be looked at.
        const asksFor = entries.some(({ senderType }) => senderType === failedDelivery) ? [subscriptionsTask] : [];
        yield { entries, cursor: JSON.stringify(here), asksFor };
        if (items.length === 0 || count >= maxPages) return;
        asked = now();
        page = await log().page(next);
      }
    },
  };
}

/** @throws CursorLost */
function placeOf(cursor: string, orgUrl: string, now: number): Place {
  const place = Place.safeParse(parseJson(cursor)).data;
  if (place === undefined) throw new CursorLost('the stored place is no place in the System Log');
  if (!URL.canParse(place.next) || new URL(place.next).origin !== orgUrl) {
    throw new CursorLost(`the stored place is none at ${orgUrl}`);
  }
  if (now - place.seenUntil > retentionMs) {
    throw new CursorLost('what was last seen of the System Log is older than what Okta keeps');
  }
  return place;
}

/** Okta's own refusal of this request; one of the token or from something in between carries no code. */
function isRefusedLink(error: unknown): boolean {
  return error instanceof DirectoryUnavailable && error.facts['status'] === 400 && error.facts['errorCode'] !== null;
}
