import { sql, type Transaction } from 'kysely';
import type { Db } from './database.js';
import type { ReplayItem } from './replays.js';
import type { Schema } from './schema.js';

type Tx = Transaction<Schema>;

/**
 * So many events at once are under way for replays, of all workers together: half of what one worker plans at a time
 * (workers/main.ts), so that a new event finds a free hand and an account's pace hardly touched. Each new event that is
 * still to be planned takes one of these places.
 */
const underWayAtMost = 5;

/** What has no result after so long waits for something outside, by itself: it no longer takes a place. */
const placeSeconds = 120;

export interface Fed {
  id: string;
  by: string;
  fed: number;
  /** null: it goes on. */
  finished: Pick<ReplayItem, 'count' | 'done'> | null;
}

/**
 * Feeds the oldest replay that is not over with as many events as there are places for. How far it is, is committed
 * with the events themselves: whoever dies in between has fed none of them twice.
 * @returns null when there is none, or another worker is at it
 */
export async function feedReplay(tx: Tx): Promise<Fed | null> {
  const lock = await sql<{ mine: boolean }>`select pg_try_advisory_xact_lock(7331006) as mine`.execute(tx);
  if (lock.rows[0]?.mine !== true) return null;
  const replay = await tx
    .selectFrom('replay')
    .select(['id', 'requested_by', 'total'])
    .where('finished_at', 'is', null)
    .orderBy('seq')
    .forUpdate()
    .executeTakeFirst();
  if (replay === undefined) return null;
  const ended = await endThoseWithResult(tx, replay.id);
  const fed = await feed(tx, replay.id, replay.requested_by, underWayAtMost - (await placesTaken(tx)));
  const isOver = fed === 0 && !(await hasMore(tx, replay.id));
  const { done } = await tx
    .updateTable('replay')
    .set((eb) => ({
      fed: eb('fed', '+', fed),
      done: eb('done', '+', ended),
      ...(isOver ? { finished_at: sql<Date>`now()` } : {}),
    }))
    .where('id', '=', replay.id)
    .returning('done')
    .executeTakeFirstOrThrow();
  // What is known of each has served; the numbers stay.
  if (isOver) await tx.deleteFrom('replay_event').where('replay_id', '=', replay.id).execute();
  return { id: replay.id, by: replay.requested_by, fed, finished: isOver ? { count: replay.total, done } : null };
}

/** Is there a replay to be fed at all? */
export async function hasOpenReplay(db: Db): Promise<boolean> {
  const row = await db.selectFrom('replay').select('id').where('finished_at', 'is', null).executeTakeFirst();
  return row !== undefined;
}

async function endThoseWithResult(tx: Tx, id: string): Promise<number> {
  const result = await sql`
    update replay_event set done_at = now()
    where replay_id = ${id} and fed_at is not null and done_at is null and (
      fed_at < now() - make_interval(secs => ${placeSeconds})
      or not exists (
        select from inbox where inbox.id = replay_event.event_id and (inbox.due_at is not null or exists (
          select from plan where plan.event_id = inbox.id and plan.state in ('planned', 'approved', 'applying')
            and plan.due_at is not null))))`.execute(tx);
  return Number(result.numAffectedRows ?? 0n);
}

/** Replayed events under way, and new ones that nobody has planned yet: these go first. */
async function placesTaken(tx: Tx): Promise<number> {
  const { rows } = await sql<{ taken: number }>`
    select (select count(*) from replay_event where fed_at is not null and done_at is null)::int
      + (select count(*) from (
          select from inbox where state in ('received', 'queued') and due_at is not null and not exists (
            select from replay_event where event_id = inbox.id and fed_at is not null and done_at is null)
          limit ${underWayAtMost}) as fresh)::int as taken`.execute(tx);
  return rows[0]?.taken ?? underWayAtMost;
}

async function feed(tx: Tx, id: string, by: string, places: number): Promise<number> {
  if (places <= 0) return 0;
  const result = await sql<{ fed: number }>`
    with next as (
      update replay_event set fed_at = now()
      where replay_id = ${id} and place in (
        select place from replay_event where replay_id = ${id} and fed_at is null order by place limit ${places})
      returning event_id
    ), reopened as (
      update inbox set state = 'received', reason = ${`replayed by ${by}`}, attempts = 0, due_at = now()
      from next where inbox.id = next.event_id and inbox.state in ('waiting', 'done', 'dead')
    )
    select count(*)::int as fed from next`.execute(tx);
  return result.rows[0]?.fed ?? 0;
}

async function hasMore(tx: Tx, id: string): Promise<boolean> {
  const row = await tx
    .selectFrom('replay_event')
    .select('place')
    .where('replay_id', '=', id)
    .where('done_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}
