import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { EventState } from '#shared/lifecycle/types.js';
import { only } from './lists.js';

/** Which events are meant. Every field narrows; an address finds events of people not yet known too. */
export interface EventFilter {
  state?: EventState | undefined;
  source?: string | undefined;
  /** The sender's id. */
  eventId?: string | undefined;
  type?: string | undefined;
  personId?: string | undefined;
  /** Lower-case. */
  email?: string | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
}

/** Rows are stored in the order in which they were received, give or take: a comparison stores what it found when it is through. */
const storedWithinMs = 24 * 3_600_000;

const typeShown = sql`coalesce(inbox.type, inbox.sender_type)`;

/** What a list with this filter is to be sorted by before `seq`; null: nothing. See `only`. */
export function sortedBy({ state, source, type }: EventFilter): RawBuilder<unknown> | null {
  if (state !== undefined) return sql`inbox.state`;
  if (source !== undefined) return sql`inbox.source`;
  return type === undefined ? null : typeShown;
}

/** The filter as a condition on `inbox`. */
export function matches(filter: EventFilter): RawBuilder<SqlBool> {
  const { state, source, eventId, type, personId, email, since, until } = filter;
  const conditions = [
    ...(state === undefined ? [] : [only('inbox.state', state)]),
    ...(source === undefined ? [] : [only('inbox.source', source)]),
    ...(eventId === undefined ? [] : [sql`inbox.event_id = ${eventId}`]),
    ...(type === undefined ? [] : [only(typeShown, type)]),
    ...(personId === undefined ? [] : [sql`inbox.person_id = ${personId}::uuid`]),
    // Two halves with an index each.
    ...(email === undefined
      ? []
      : [
          // As an array, so that PostgreSQL looks these few up and does not walk along all events to find them.
          sql`inbox.id = any(array(
            select id from inbox where person_ref is not null and lower(person_ref ->> 'email') = ${email}
            union select event.id from inbox event join person on person.id = event.person_id
              where person.emails @> array[${email}]::text[]))`,
        ]),
    ...(since === undefined ? [] : [sql`inbox.received_at >= ${since}`, sql`inbox.seq > ${edge(since, 'first')}`]),
    ...(until === undefined ? [] : [sql`inbox.received_at <= ${until}`, sql`inbox.seq < ${edge(until, 'last')}`]),
  ];
  return conditions.length === 0 ? sql<SqlBool>`true` : sql<SqlBool>`${sql.join(conditions, sql` and `)}`;
}

/** A place in `seq` beyond which nothing of that time can stand: without it, all of `seq` might be walked along. */
function edge(time: Date, which: 'first' | 'last'): RawBuilder<unknown> {
  return which === 'first'
    ? sql`coalesce((select seq from inbox edge where edge.received_at < ${new Date(time.getTime() - storedWithinMs)}
        order by edge.received_at desc limit 1), 0)`
    : sql`coalesce((select seq from inbox edge where edge.received_at > ${new Date(time.getTime() + storedWithinMs)}
        order by edge.received_at limit 1), ${sql.lit('9223372036854775807')}::bigint)`;
}
