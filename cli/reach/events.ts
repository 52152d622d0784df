import { z } from 'zod';
import { replayEvent, replayEvents } from '#shared/operations/replay.js';
import type { EventFilter } from '#shared/store/event-filter.js';
import { countReplayable } from '#shared/store/event-replay.js';
import { listEvents, showEvent } from '#shared/store/inbox.js';
import type { ListPage, ListQuery } from '#shared/store/lists.js';
import type { DatabaseSession } from '../database.js';
import { found } from '../ids.js';
import type { Server } from '../server/client.js';
import { page, person } from '../server/documents.js';

const event = z.object({
  id: z.string(),
  state: z.string(),
  source: z.string(),
  type: z.string().nullable(),
  person: person.nullable(),
  receivedAt: z.string(),
  reason: z.string().nullable(),
  lastError: z.string().nullable(),
});
const shown = event.extend({ raw: z.string() });
const replayed = z.object({ count: z.number() });

/** What identity providers sent: the inbox. */
export interface Events {
  list(query: ListQuery & Omit<EventFilter, 'ids'>): Promise<ListPage<z.infer<typeof event>>>;
  /** @throws SendoffError NOT_FOUND */
  show(id: string): Promise<z.infer<typeof shown>>;
  /** Plans its person anew. @throws SendoffError NOT_FOUND for one that names nobody */
  replay(id: string): Promise<void>;
  /** How many a replay of all that match would be about, counted up to `limit`. */
  countReplayable(filter: EventFilter, limit: number): Promise<number>;
  /** @returns how many are planned anew: those under way already are left to themselves */
  replayAll(ids: string[]): Promise<number>;
}

export function inDatabase({ db, by }: DatabaseSession): Events {
  return {
    list: (query) => listEvents(db, query),
    show: async (id) => found('event', id, await showEvent(db, id)),
    async replay(id) {
      found('event that names a person', id, (await replayEvent(db, id, by())) || null);
    },
    countReplayable: (filter, limit) => countReplayable(db, filter, limit),
    replayAll: (ids) => replayEvents(db, { filter: { ids }, limit: ids.length, by: by() }),
  };
}

export function atServer(server: Server): Events {
  return {
    list: (query) => server.get('/events', page(event), { ...query }),
    show: (id) => server.get(`/events/${id}`, shown),
    async replay(id) {
      await server.post(`/events/${id}/replay`, z.object({}), {});
    },
    async countReplayable(filter, limit) {
      return (await server.post('/events/replays', replayed, { filter, limit, dryRun: true })).count;
    },
    async replayAll(ids) {
      return (await server.post('/events/replays', replayed, { filter: { ids }, limit: ids.length })).count;
    },
  };
}
