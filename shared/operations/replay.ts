import { appendAudit } from '#shared/audit/append.js';
import type { Db } from '#shared/store/database.js';
import type { EventFilter } from '#shared/store/event-filter.js';
import { reopenMatching } from '#shared/store/event-replay.js';
import { reopenEvent } from '#shared/store/inbox.js';

/** Plans the person of one event anew. @returns false when no such event names a person */
export async function replayEvent(db: Db, id: string, by: string): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const done = await reopenEvent(tx, id, `replayed by ${by}`);
    if (done) await appendAudit(tx, { kind: 'events.replayed', actor: by, detail: { event: id, count: 1 } });
    return done;
  });
}

/** Plans the people of many events anew, spread over time. @returns how many */
export async function replayEvents(
  db: Db,
  { filter, limit, by }: { filter: EventFilter; limit: number; by: string },
): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const count = await reopenMatching(tx, filter, limit, `replayed by ${by}`);
    const { email, personId, since, until, ...plain } = filter;
    await appendAudit(tx, {
      kind: 'events.replayed',
      actor: by,
      ...(personId === undefined && email === undefined
        ? {}
        : { person: { id: personId ?? null, email: email ?? null } }),
      detail: {
        ...plain,
        ...(since === undefined ? {} : { since: since.toISOString() }),
        ...(until === undefined ? {} : { until: until.toISOString() }),
        count,
      },
    });
    return count;
  });
}
