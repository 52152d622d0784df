import { z } from 'zod';
import type { OneLoginClient } from '#shared/directory/onelogin/client.js';
import type { Page, PollStream } from '../source.js';
import type { EventTypes } from './event-types.js';
import { meaningfulTypes } from './meanings.js';
import { toEntry } from './normalize.js';
import { NumberedEvent } from './schema.js';

/** Events may show up late, and the order of ids is not promised to be that of times: so much is asked for again. */
const overlapMs = 15 * 60_000;
/** OneLogin gives no more a page. */
const pageSize = 50;

/** Where the last page ended: the highest id, and the time of the latest event by OneLogin's clock. */
const Mark = z.object({ id: z.number().int().nullable(), at: z.iso.datetime() });
type Mark = z.infer<typeof Mark>;

export interface PollOptions {
  client: Pick<OneLoginClient, 'pages'>;
  types: EventTypes;
  app: string | null;
  everyMs: number;
  now?: () => Date;
}

/** The Events API. A 429, or an hour's calls used up, is a WaitError of the client. */
export function eventsPoll({ client, types, app, everyMs, now = () => new Date() }: PollOptions): PollStream {
  return {
    task: 'events',
    everyMs,
    async *pages(cursor): AsyncGenerator<Page> {
      const start = markOf(cursor) ?? { id: null, at: now().toISOString() };
      const names = await types.loaded();
      const query = new URLSearchParams({
        since: new Date(Date.parse(start.at) - overlapMs).toISOString(),
        event_type_id: meaningfulTypes(names).join(','),
        sort: '+id',
        limit: String(pageSize),
      });
      let mark = start;
      let lastId = 0;
      let inOrder = true;
      for await (const items of client.pages(`/api/1/events?${query}`)) {
        for (const item of items) {
          const event = NumberedEvent.safeParse(item);
          if (!event.success) continue;
          inOrder &&= event.data.id > lastId;
          lastId = event.data.id;
          mark = later(mark, event.data, now());
        }
        const entries = items.flatMap((item) => toEntry(item, { names, app }) ?? []);
        // Of a list that is out of order, only its end is a place to go on from.
        yield { entries, cursor: JSON.stringify(inOrder ? mark : start) };
      }
      if (!inOrder) yield { entries: [], cursor: JSON.stringify(mark) };
    },
  };
}

/** An event that is dated ahead of time must not lead past those that are not. */
function later({ id, at }: Mark, event: z.infer<typeof NumberedEvent>, now: Date): Mark {
  const time = Math.min(Date.parse(event.created_at), now.getTime());
  return { id: Math.max(id ?? 0, event.id), at: time > Date.parse(at) ? new Date(time).toISOString() : at };
}

/** @returns null for none, and for one that another version wrote */
function markOf(cursor: string | null): Mark | null {
  if (cursor === null) return null;
  try {
    return Mark.parse(JSON.parse(cursor));
  } catch {
    return null;
  }
}
