import { sql, type Transaction } from 'kysely';
import type { Teammate } from '#shared/lifecycle/types.js';
import type { Db } from './database.js';
import { storedPart } from './rosters.js';
import type { Schema } from './schema.js';

// Rosters as they were last read, for people to look at. Nothing here asks SendGrid.

/** What an account's stored lists come to. */
export interface RosterFigures {
  account: string;
  /** When the teammates were last read; null: never. */
  readAt: string | null;
  teammates: number;
  invitations: number;
}

export async function rosterFigures(db: Db): Promise<RosterFigures[]> {
  const { rows } = await sql<{ account: string; read_at: Date | null; teammates: number; invitations: number }>`
    select account, max(read_at) filter (where part = 'teammates') as read_at,
      coalesce(max(length) filter (where part = 'teammates'), 0) as teammates,
      coalesce(max(length) filter (where part = 'invitations'), 0) as invitations
    from roster where part in ('teammates', 'invitations') group by account`.execute(db);
  return rows.map(({ account, read_at, teammates, invitations }) => ({
    account,
    readAt: read_at?.toISOString() ?? null,
    teammates,
    invitations,
  }));
}

export interface StoredInvitation {
  email: string;
  admin: boolean;
  /** RFC 3339; null: SendGrid tells none. */
  expiresAt: string | null;
}

/** The parent's people as last read; null: they never were. */
export async function storedPeople(
  db: Db,
  account: string,
): Promise<{ readAt: Date; teammates: Teammate[]; invitations: StoredInvitation[] } | null> {
  const [teammates, invitations] = await Promise.all([
    storedPart(db, account, 'teammates'),
    storedPart(db, account, 'invitations'),
  ]);
  if (teammates === null) return null;
  return {
    readAt: teammates.readAt,
    teammates: teammates.items as Teammate[],
    invitations: (invitations?.items ?? []) as StoredInvitation[],
  };
}

/** Where a person was last seen. */
export interface FoundFootprint {
  account: string;
  /** null: in the parent. */
  subuser: string | null;
  footprint: 'teammate' | 'invitation';
  target: string;
  email: string;
  admin: boolean;
  readAt: string;
}

/** In every stored list, subusers included; those in which none of these names stands are not unpacked. */
export async function findFootprints(
  db: Db,
  emails: string[],
  links: { account: string; username: string }[],
): Promise<FoundFootprint[]> {
  const names = [...emails, ...links.map(({ username }) => username.toLowerCase())];
  const { rows } = await sql<{
    account: string;
    subuser: string | null;
    footprint: 'teammate' | 'invitation';
    item: { username?: string; email: string; admin?: boolean };
    read_at: Date;
  }>`
    with hit as materialized (
      select account, part, items, read_at from roster
      where part in ('teammates', 'invitations', 'subusers') and roster_names(items) && ${names}::text[]
    ), place as (
      select account, null::text as subuser, part, items, read_at from hit
        where part <> 'subusers' and jsonb_typeof(items) = 'array'
      union all
      select account, one ->> 'name', list.part, list.items, read_at
        from hit, jsonb_array_elements(items #> '{items,swept}') one,
          lateral (values ('teammates', one -> 'teammates'), ('invitations', one -> 'invitations')) as list (part, items)
        where hit.part = 'subusers' and jsonb_typeof(hit.items #> '{items,swept}') = 'array'
    )
    select account, subuser, case part when 'teammates' then 'teammate' else 'invitation' end as footprint, item, read_at
    from place, jsonb_array_elements(place.items) as item
    where lower(item ->> 'email') = any(${emails}::text[])
      or (part = 'teammates' and (account, item ->> 'username') in (
        select * from unnest(${links.map((l) => l.account)}::text[], ${links.map((l) => l.username)}::text[])))
    order by account, subuser nulls first, footprint
    limit 1000`.execute(db);
  return rows.map(({ account, subuser, footprint, item, read_at }) => ({
    account,
    subuser,
    footprint,
    target: item.username ?? item.email,
    email: item.email,
    admin: item.admin ?? false,
    readAt: read_at.toISOString(),
  }));
}

/** A teammate's person, by link or by address, and how they came here. */
export interface Known {
  username: string;
  personId: string | null;
  groups: string[];
  leaving: boolean;
  /** Nobody gave them access through Sendoff, and they were not there when the account was first looked at. */
  arrived: boolean;
}

export async function whoIsWho(db: Db, account: string, teammates: Teammate[]): Promise<Map<string, Known>> {
  const usernames = teammates.map((one) => one.username);
  const emails = teammates.map((one) => one.email.toLowerCase());
  const rows = await db.transaction().execute(async (tx) => {
    // Each is looked up: PostgreSQL, which expects many to have one address, would rather read all people for each.
    await sql`set local enable_seqscan = off`.execute(tx);
    return readWho(tx, { account, usernames, emails });
  });
  return new Map(
    rows.map(({ username, person_id, groups, leaving, arrived }) => [
      username,
      { username, personId: person_id, groups: groups ?? [], leaving, arrived },
    ]),
  );
}

async function readWho(
  tx: Transaction<Schema>,
  { account, usernames, emails }: { account: string; usernames: string[]; emails: string[] },
) {
  const { rows } = await sql<{
    username: string;
    person_id: string | null;
    groups: string[] | null;
    leaving: boolean;
    arrived: boolean;
  }>`
    with mate as (
      select * from unnest(${usernames}::text[], ${emails}::text[]) as m (username, email)
    ), first_look as (
      select min(first_seen_at) as at from seen_teammate where account = ${account}
    )
    select mate.username, person.id as person_id, person.groups, person.leaving_since is not null as leaving,
      coalesce(seen.first_seen_at > first_look.at and not exists (
        select from action where action.account = ${account} and action.target = mate.username and action.state = 'done'
          and action.kind = 'provision'), false) as arrived
    from mate cross join first_look
    left join seen_teammate seen on seen.account = ${account} and seen.username = mate.username
    left join lateral (
      select person_id from link where link.account = ${account} and link.username = mate.username limit 1
    ) as tie on true
    left join lateral (
      select id from person where tie.person_id is null and emails @> array[mate.email] and seen_at is not null limit 1
    ) as same_address on true
    left join person on person.id = coalesce(tie.person_id, same_address.id)`.execute(tx);
  return rows;
}
