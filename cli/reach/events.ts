import { z } from 'zod';
import { beginReplay, endReplay, replayEvent } from '#shared/operations/replay.js';
import type { EventFilter } from '#shared/store/event-filter.js';
import { listEvents, showEvent } from '#shared/store/inbox.js';
import type { ListPage, ListQuery } from '#shared/store/lists.js';
import { isWorkerAlive } from '#shared/store/processes.js';
import { countReplayable, showReplay } from '#shared/store/replays.js';
import type { DatabaseSession } from '../database.js';
import { found } from '../ids.js';
import type { Server } from '../server/client.js';
import { isWorkerAliveAt, page, person } from '../server/documents.js';

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
const counted = z.object({ count: z.number() });
const begun = counted.extend({ id: z.string() });
const replay = z.object({ id: z.string(), state: z.string(), count: z.number(), done: z.number() });

/** What identity providers sent: the inbox. */
export interface Events {
  list(query: ListQuery & EventFilter): Promise<ListPage<z.infer<typeof event>>>;
  /** @throws SendoffError NOT_FOUND */
  show(id: string): Promise<z.infer<typeof shown>>;
  /** Plans its person anew. @throws SendoffError NOT_FOUND for one that names nobody */
  replay(id: string): Promise<void>;
  /** How many a replay of all that match would be about, counted up to `limit`. */
  countReplayable(filter: EventFilter, limit: number): Promise<number>;
  /** A worker does it. @throws SendoffError NOTHING_TO_REPLAY */
  beginReplay(filter: EventFilter, limit: number): Promise<z.infer<typeof begun>>;
  /** How far it is. */
  showReplay(id: string): Promise<z.infer<typeof replay>>;
  /** Begins no more of them. @throws SendoffError REPLAY_OVER */
  abortReplay(id: string): Promise<void>;
  isWorkerAlive(): Promise<boolean>;
}

export function inDatabase({ db, by }: DatabaseSession): Events {
  return {
    list: (query) => listEvents(db, query),
    show: async (id) => found('event', id, await showEvent(db, id)),
    async replay(id) {
      found('event that names a person', id, (await replayEvent(db, id, by())) || null);
    },
    countReplayable: (filter, limit) => countReplayable(db, filter, limit),
    beginReplay: (filter, limit) => beginReplay(db, { filter, limit, by: by() }),
    showReplay: async (id) => found('replay', id, await showReplay(db, id)),
    abortReplay: (id) => endReplay(db, id, by()),
    isWorkerAlive: () => isWorkerAlive(db),
  };
}

export function atServer(server: Server): Events {
  return {
    list: (query) => server.post('/events/search', page(event), query),
    show: (id) => server.get(`/events/${id}`, shown),
    async replay(id) {
      await server.post(`/events/${id}/replay`, z.object({}), {});
    },
    async countReplayable(filter, limit) {
      return (await server.post('/events/replays', counted, { filter, limit, dryRun: true })).count;
    },
    beginReplay: (filter, limit) => server.post('/events/replays', begun, { filter, limit }),
    showReplay: (id) => server.get(`/events/replays/${id}`, replay),
    async abortReplay(id) {
      await server.post(`/events/replays/${id}/abort`, replay, {});
    },
    isWorkerAlive: () => isWorkerAliveAt(server),
  };
}
