import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { Db } from './database.js';

// What failed for good, by cause: actions that failed, events that are dead, deliveries that could not be read.

/** Failures looked through, the newest of each kind; and causes shown, the most frequent first. */
const lookedThrough = 100_000;
const causesAtMost = 100;
const examplesAtMost = 10;
const peopleAtMost = 1_000;

/** One failure, as an example of its cause. */
export interface FailureItem {
  id: string;
  state: string;
  what: string;
  person: { id: string | null; email: string | null } | null;
  at: string;
}

/** Failures whose text is the same but for ids, addresses and numbers. */
export interface CauseItem {
  /** Names the cause for as long as it is the same: a replay takes it as a filter. */
  id: string;
  state: 'open';
  kind: 'action' | 'event';
  /** The account or the source. */
  place: string;
  text: string;
  count: number;
  /** Those of them that name a person, who can be planned anew. */
  replayable: number;
  newestAt: string;
  /** The newest ten. */
  examples: FailureItem[];
}

interface Row {
  cause: string;
  kind: 'action' | 'event';
  place: string;
  text: string;
  count: number;
  replayable: number;
  id: string;
  state: string;
  what: string;
  personId: string | null;
  email: string | null;
  at: Date;
}

/** @param search whole or the beginning of an address, or an id of the person, the event, the plan or the action */
export async function failuresByCause(db: Db, search?: string): Promise<{ items: CauseItem[]; total: number }> {
  const { rows } = await sql<Row & { total: number }>`
    with failure as materialized (${failures(search)}),
    ranked as (
      select *, row_number() over (partition by cause order by at desc, id) as place_in_cause,
        (count(*) over (partition by cause))::int as count,
        (count(*) filter (where replayable) over (partition by cause))::int as replayable_count
      from failure
    ),
    shown as (
      select *, dense_rank() over (order by count desc, cause) as cause_rank
      from ranked where place_in_cause <= ${examplesAtMost}
    )
    select shown.cause, shown.kind, shown.place, shown.text, shown.count, shown.replayable_count as replayable, shown.id,
      shown.state, shown.what, shown.person_id as "personId", coalesce(person.emails[1], shown.email) as email, shown.at,
      (select count(*)::int from failure) as total
    from shown left join person on person.id = shown.person_id
    where cause_rank <= ${causesAtMost} order by cause_rank, place_in_cause`.execute(db);
  const byCause = new Map<string, Row[]>();
  for (const row of rows) byCause.set(row.cause, [...(byCause.get(row.cause) ?? []), row]);
  return { items: [...byCause.values()].map(toCause), total: rows[0]?.total ?? 0 };
}

/** The events whose people a replay of this cause is about. */
export function eventsOfCause(cause: string, search?: string): RawBuilder<string> {
  return sql`select event_id from (${failures(search)}) as failure where cause = ${cause} and replayable`;
}

function failures(search: string | undefined) {
  const { ofActions, ofEvents } = search === undefined ? { ofActions: always, ofEvents: always } : resembling(search);
  return sql`
    select md5(concat_ws('|', kind, place, text)) as cause, * from (
      (select 'action' as kind, action.account as place,
        replace(failure_cause(coalesce(action.last_error, 'no error was kept')), 'SendGrid ' || action.account || ': ', '') as text,
        action.id, plan.event_id, action.person_id, null as email, action.state,
        action.kind || ' ' || action.footprint as what, coalesce(action.finished_at, action.created_at) as at, true as replayable
      from action join plan on plan.id = action.plan_id
      where action.state = 'failed' and ${ofActions} order by action.seq desc limit ${lookedThrough})
      union all
      (select 'event', failed.source, failure_cause(coalesce(failed.last_error, failed.reason, 'no reason was kept')),
        failed.id, failed.id, failed.person_id, failed.person_ref ->> 'email', failed.state,
        coalesce(failed.type, failed.sender_type, 'event'), failed.received_at, failed.type is not null
      from inbox as failed
      where failed.state in ('dead', 'quarantined') and ${ofEvents} order by failed.seq desc limit ${lookedThrough})
    ) as each`;
}

const always = sql<SqlBool>`true`;

function resembling(search: string): { ofActions: RawBuilder<SqlBool>; ofEvents: RawBuilder<SqlBool> } {
  const text = search.trim();
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) {
    return {
      ofActions: sql`${text}::uuid in (action.id, action.plan_id, action.person_id, plan.event_id)`,
      ofEvents: sql`${text}::uuid in (failed.id, failed.person_id)`,
    };
  }
  const wanted = canonicalAddress(text);
  const beginning = `${wanted.replace(/[\\%_]/g, '\\$&')}%`;
  const people = sql`array(select id from person
    where lower(emails[1]) like ${beginning} or emails @> array[${wanted}]::text[] limit ${peopleAtMost})`;
  return {
    ofActions: sql`action.person_id = any(${people})`,
    ofEvents: sql`(failed.person_id = any(${people}) or lower(failed.person_ref ->> 'email') like ${beginning}
      or failed.event_id = ${text})`,
  };
}

function toCause(rows: Row[]): CauseItem {
  const [newest] = rows as [Row];
  const { cause, kind, place, text, count, replayable, at } = newest;
  return {
    ...{ id: cause, state: 'open', kind, place, text, count, replayable },
    newestAt: at.toISOString(),
    examples: rows.map(({ id, state, what, personId, email, at: when }) => ({
      ...{ id, state, what, at: when.toISOString() },
      person: personId === null && email === null ? null : { id: personId, email },
    })),
  };
}
