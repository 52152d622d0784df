import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { EventState } from '#shared/lifecycle/types.js';

/** Which events are meant. Every field narrows; an address finds events of people not yet known too. */
export interface EventFilter {
  /** Only these. */
  ids?: string[] | undefined;
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

/** The filter as a condition on `inbox`. */
export function matches(filter: EventFilter): RawBuilder<SqlBool> {
  const { ids, state, source, eventId, type, personId, email, since, until } = filter;
  const conditions = [
    ...(ids === undefined ? [] : [sql`inbox.id = any(${ids}::uuid[])`]),
    ...(state === undefined ? [] : [sql`inbox.state = ${state}`]),
    ...(source === undefined ? [] : [sql`inbox.source = ${source}`]),
    ...(eventId === undefined ? [] : [sql`inbox.event_id = ${eventId}`]),
    ...(type === undefined ? [] : [sql`coalesce(inbox.type, inbox.sender_type) = ${type}`]),
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
    ...(since === undefined ? [] : [sql`inbox.received_at >= ${since}`]),
    ...(until === undefined ? [] : [sql`inbox.received_at <= ${until}`]),
  ];
  return conditions.length === 0 ? sql<SqlBool>`true` : sql<SqlBool>`${sql.join(conditions, sql` and `)}`;
}
