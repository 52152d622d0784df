import type { OneLoginClient } from '#shared/directory/onelogin/client.js';
import type { TypeNames } from './meanings.js';
import { EventType } from './schema.js';

/** OneLogin asks to keep the table for a day (idp-events.md §4.2). */
const freshMs = 24 * 60 * 60_000;
/** After a failure; until then the old table, or none, has to do. */
const retryMs = 5 * 60_000;

/** The account's own table of event types, kept at hand. */
export interface EventTypes {
  /** What is known now; asks for more behind the caller's back. */
  known(): TypeNames;
  /** The same, after waiting for it if it is due. Never throws: the published numbers remain. */
  loaded(): Promise<TypeNames>;
}

export function createEventTypes(client: Pick<OneLoginClient, 'list'>, now: () => number = Date.now): EventTypes {
  let names: TypeNames = null;
  let dueAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | null = null;

  const load = async (): Promise<void> => {
    dueAt = now() + retryMs;
    const types = (await client.list('/api/1/events/types')).flatMap((item) => EventType.safeParse(item).data ?? []);
    if (types.length === 0) return;
    names = new Map(types.map(({ id, name }) => [id, name]));
    dueAt = now() + freshMs;
  };
  const refresh = (): Promise<void> | null => {
    if (underWay === null && now() >= dueAt) {
      underWay = load()
        // Whoever needs the API for more than names says that it is away.
        .catch(() => undefined)
        .finally(() => {
          underWay = null;
        });
    }
    return underWay;
  };

  return {
    known() {
      refresh();
      return names;
    },
    async loaded() {
      await refresh();
      return names;
    },
  };
}
