import { sql, type Transaction } from 'kysely';
import type { Db } from './database.js';
import { type EventFilter, matches } from './event-filter.js';
import { eventsOfCause } from './failures.js';
import { type ListPage, type ListQuery, pageOf, seqBefore } from './lists.js';
import { operatorSource } from './operator-events.js';
import type { Schema } from './schema.js';

type Tx = Transaction<Schema>;

/** Which events are to be planned anew; of a cause, those that it made fail. */
export interface ReplayFilter extends EventFilter {
  /** The id of a cause of failures.ts. */
  cause?: string | undefined;
  /** Narrows the cause as it narrowed what was shown. */
  search?: string | undefined;
}

/** What is under way already is left to itself, and an order for a later day to its day. */
function isMeant({ cause, search, ...filter }: ReplayFilter) {
  return sql`inbox.type is not null and inbox.state in ('waiting', 'done', 'dead')
    and not (inbox.state = 'waiting' and inbox.source = ${operatorSource}) and ${matches(filter)}
    ${cause === undefined ? sql`` : sql`and inbox.id = any(array(${eventsOfCause(cause, search)}))`}`;
}

/** How many events a replay would be about, counted up to `limit`. */
export async function countReplayable(db: Db, filter: ReplayFilter, limit: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from (select from inbox where ${isMeant(filter)} limit ${limit}) as meant`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}

/** Keeps which events are meant, up to `limit`, the newest first; a worker feeds them. */
export async function storeReplay(
  tx: Tx,
  {
    filter,
    shown,
    limit,
    by,
  }: {
    filter: ReplayFilter;
    /** The filter as it may be shown: it points at nobody. */
    shown: object;
    limit: number;
    by: string;
  },
): Promise<{ id: string; total: number }> {
  const { id } = await tx
    .insertInto('replay')
    .values({ filter: JSON.stringify(shown), requested_by: by, total: 0, aborted_by: null })
    .returning('id')
    .executeTakeFirstOrThrow();
  const placed = await sql`
    insert into replay_event (replay_id, place, event_id)
    select ${id}, row_number() over (order by seq desc), meant.id
    from (select id, seq from inbox where ${isMeant(filter)} order by seq desc limit ${limit}) as meant`.execute(tx);
  const total = Number(placed.numAffectedRows ?? 0n);
  await tx.updateTable('replay').set({ total }).where('id', '=', id).execute();
  return { id, total };
}

/** What is not fed stays as it is; what is under way goes on. @returns null when it is over, or unknown */
export async function abortReplay(tx: Tx, id: string, by: string): Promise<{ left: number } | null> {
  const open = await tx
    .updateTable('replay')
    .set({ aborted_by: by })
    .where('id', '=', id)
    .where('finished_at', 'is', null)
    .where('aborted_by', 'is', null)
    .returning('id')
    .executeTakeFirst();
  if (open === undefined) return null;
  const left = await tx
    .deleteFrom('replay_event')
    .where('replay_id', '=', id)
    .where('fed_at', 'is', null)
    .executeTakeFirst();
  return { left: Number(left.numDeletedRows) };
}

/** One replay of many events, as the API shows it. */
export interface ReplayItem {
  id: string;
  state: 'waiting' | 'running' | 'done' | 'aborted';
  filter: Record<string, string>;
  by: string;
  requestedAt: string;
  count: number;
  /** Fed to the planner. */
  started: number;
  /** Come to a result, or waiting by themselves for something outside. */
  done: number;
  abortedBy: string | null;
  finishedAt: string | null;
}

/** Newest first. */
export async function listReplays(db: Db, query: ListQuery): Promise<ListPage<ReplayItem>> {
  const rows = await db
    .selectFrom('replay')
    .selectAll()
    .$if(query.before !== undefined, (qb) => qb.where(seqBefore('seq', query.before)))
    .orderBy('seq', 'desc')
    .limit(query.limit + 1)
    .execute();
  return pageOf(rows, query.limit, toItem);
}

export async function showReplay(db: Db, id: string): Promise<ReplayItem | null> {
  const row = await db.selectFrom('replay').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : toItem(row);
}

interface Row {
  id: string;
  filter: Record<string, string>;
  requested_by: string;
  requested_at: Date;
  total: number;
  fed: number;
  done: number;
  aborted_by: string | null;
  finished_at: Date | null;
}

function toItem(row: Row): ReplayItem {
  const open = row.fed === 0 ? 'waiting' : 'running';
  return {
    id: row.id,
    state: row.aborted_by !== null ? 'aborted' : row.finished_at !== null ? 'done' : open,
    filter: row.filter,
    by: row.requested_by,
    requestedAt: row.requested_at.toISOString(),
    count: row.total,
    started: row.fed,
    done: row.done,
    abortedBy: row.aborted_by,
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}
