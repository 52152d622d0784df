import { appendAudit } from '#shared/audit/append.js';
import { SendoffError } from '#shared/errors.js';
import type { Db } from '#shared/store/database.js';
import { reopenEvent } from '#shared/store/inbox.js';
import { abortReplay, type ReplayFilter, storeReplay } from '#shared/store/replays.js';

/** Plans the person of one event anew. @returns false when no such event names a person */
export async function replayEvent(db: Db, id: string, by: string): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const done = await reopenEvent(tx, id, `replayed by ${by}`);
    if (done) await appendAudit(tx, { kind: 'events.replayed', actor: by, detail: { event: id, count: 1 } });
    return done;
  });
}

/** Begins to plan the people of many events anew; a worker does it. @throws SendoffError NOTHING_TO_REPLAY */
export async function beginReplay(
  db: Db,
  { filter, limit, by }: { filter: ReplayFilter; limit: number; by: string },
): Promise<{ id: string; count: number }> {
  const { email, personId, search } = filter;
  const shown = shownFilter(filter);
  return db.transaction().execute(async (tx) => {
    const { id, total } = await storeReplay(tx, { filter, shown, limit, by });
    if (total === 0) {
      throw new SendoffError('no event that names a person matches', {
        code: 'NOTHING_TO_REPLAY',
        blame: 'input',
        remedy: 'what is under way already is left to itself; widen the filter, or look at GET /api/v1/events',
      });
    }
    await appendAudit(tx, {
      kind: 'events.replayed',
      actor: by,
      ...(personId === undefined && email === undefined
        ? {}
        : { person: { id: personId ?? null, email: email ?? null } }),
      ...(search === undefined ? {} : { personal: { search } }),
      detail: { replay: id, ...shown, count: total },
    });
    return { id, count: total };
  });
}

/** What is not begun stays as it is. @throws SendoffError REPLAY_OVER */
export async function endReplay(db: Db, id: string, by: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const aborted = await abortReplay(tx, id, by);
    if (aborted === null) {
      throw new SendoffError('this replay is over already', {
        code: 'REPLAY_OVER',
        blame: 'input',
        remedy: 'GET /api/v1/events/replays shows what became of it',
      });
    }
    await appendAudit(tx, { kind: 'replay.aborted', actor: by, detail: { replay: id, left: aborted.left } });
  });
}

/** Kept with the replay and in the audit trail: what points at a person stands in the personal part alone. */
function shownFilter({ email, personId, search, since, until, ...plain }: ReplayFilter): Record<string, string> {
  const shown = {
    ...plain,
    ...(since === undefined ? {} : { since: since.toISOString() }),
    ...(until === undefined ? {} : { until: until.toISOString() }),
    ...(email === undefined && personId === undefined && search === undefined ? {} : { person: 'one' }),
  };
  return Object.fromEntries(
    Object.entries(shown).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
