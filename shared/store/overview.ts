import { sql } from 'kysely';
import type { ActionState, EventState, PlanState } from '#shared/lifecycle/types.js';
import type { Db } from './database.js';

/** How it stands, in numbers. What is finished is not counted: it would be, each time, the whole of history. */
export interface Overview {
  events: Record<string, number>;
  plans: Record<string, number>;
  actions: Record<string, number>;
  /** Age of the oldest event that is neither finished nor given up; null: there is none. */
  oldestUnfinishedSeconds: number | null;
  leaving: number;
  todos: number;
  audit: { unsequenced: number };
}

/** What somebody or something still has to do with. */
export const openStates = {
  inbox: ['received', 'queued', 'waiting', 'quarantined', 'dead'] as EventState[],
  plan: ['planned', 'held', 'approved', 'applying', 'waiting'] as PlanState[],
  action: ['ready', 'executing', 'unknown', 'waiting', 'failed'] as ActionState[],
};

export async function readOverview(db: Db): Promise<Overview> {
  const [events, plans, actions, rest] = await Promise.all([
    countOpen(db, 'inbox'),
    countOpen(db, 'plan'),
    countOpen(db, 'action'),
    sql<{ oldest: number | null; leaving: number; todos: number; unsequenced: number }>`select
      (select extract(epoch from now() - min(received_at))::float8 from inbox
        where due_at < now() + interval '1 hour') as oldest,
      (select count(*)::int from person where leaving_since is not null) as leaving,
      (select count(*)::int from plan where todos <> '[]'::jsonb and state not in ('superseded', 'expired')) as todos,
      (select count(*)::int from audit_pending) as unsequenced`.execute(db),
  ]);
  const [{ oldest, leaving, todos, unsequenced } = { oldest: null, leaving: 0, todos: 0, unsequenced: 0 }] = rest.rows;
  return { events, plans, actions, oldestUnfinishedSeconds: oldest, leaving, todos, audit: { unsequenced } };
}

export async function countOpen(db: Db, table: keyof typeof openStates): Promise<Record<string, number>> {
  const { rows } = await sql<{ state: string; count: number }>`
    select state, count(*)::int as count from ${sql.table(table)}
    where state = any(${openStates[table]}::text[]) group by state`.execute(db);
  return { ...Object.fromEntries(openStates[table].map((state) => [state, 0])), ...pairs(rows) };
}

function pairs(rows: { state: string; count: number }[]): Record<string, number> {
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

export interface DeprovisionTimes {
  count: number;
  p50Seconds: number | null;
  p95Seconds: number | null;
  /** Settled within the promise. */
  withinSla: number;
}

/** From the event received to nothing of the leaver left: of the last `days`, and for each of them (UTC). */
export async function deprovisionTimes(
  db: Db,
  days: number,
  slaMs: number,
): Promise<DeprovisionTimes & { days: (DeprovisionTimes & { day: string })[] }> {
  const { rows } = await sql<{
    day: string | null;
    count: number;
    p50: number | null;
    p95: number | null;
    within: number;
  }>`
    select to_char(settled_at at time zone 'UTC', 'YYYY-MM-DD') as day, count(*)::int as count,
      percentile_cont(0.5) within group (order by seconds) as p50,
      percentile_cont(0.95) within group (order by seconds) as p95,
      count(*) filter (where seconds <= ${slaMs / 1_000})::int as within
    from (
      select settled_at, extract(epoch from settled_at - heard_at)::float8 as seconds
      from plan where verdict = 'leaver' and settled_at > now() - make_interval(days => ${days})
    ) as settled
    group by grouping sets ((), (to_char(settled_at at time zone 'UTC', 'YYYY-MM-DD')))
    order by day nulls first`.execute(db);
  const items = rows.map(({ day, count, p50, p95, within }) => ({
    day,
    count,
    p50Seconds: p50,
    p95Seconds: p95,
    withinSla: within,
  }));
  const { day: _, ...all } = items.find(({ day }) => day === null) ?? {
    day: null,
    count: 0,
    p50Seconds: null,
    p95Seconds: null,
    withinSla: 0,
  };
  return { ...all, days: items.flatMap((one) => (one.day === null ? [] : [{ ...one, day: one.day }])) };
}

/** One thing that no API can change and somebody has to do by hand. */
export interface TodoItem {
  planId: string;
  person: { id: string; email: string | null };
  account: string;
  text: string;
  since: string;
}

/** Of plans that still say so, newest first. */
export async function listTodos(db: Db, limit: number, personId?: string): Promise<TodoItem[]> {
  const rows = await db
    .selectFrom('plan')
    .innerJoin('person', 'person.id', 'plan.person_id')
    .select(['plan.id', 'plan.person_id', 'plan.todos', 'plan.created_at', 'person.emails'])
    .where(sql<boolean>`plan.todos <> '[]'::jsonb`)
    .where(sql<boolean>`plan.state not in ('superseded', 'expired')`)
    .$if(personId !== undefined, (qb) => qb.where('plan.person_id', '=', personId as string))
    .orderBy('plan.seq', 'desc')
    .limit(limit)
    .execute();
  return rows.flatMap((row) =>
    row.todos.map(({ account, text }) => ({
      planId: row.id,
      person: { id: row.person_id, email: row.emails[0] ?? null },
      account,
      text,
      since: row.created_at.toISOString(),
    })),
  );
}
