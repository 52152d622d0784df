import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { Db } from './database.js';
import { type ListPage, readTimedCursor, timedCursor } from './lists.js';

/** One person as lists show them: what the directory last said. */
export interface PersonItem {
  id: string;
  directory: string;
  directoryId: string | null;
  email: string | null;
  emails: string[];
  firstName: string | null;
  lastName: string | null;
  /** When the directory last showed them; null: it never did. */
  seenAt: string | null;
  /** Since when they have been leaving without a break. */
  leavingSince: string | null;
  createdAt: string;
}

export interface PersonDetail extends PersonItem {
  managerEmail: string | null;
  /** From when they were last active. */
  groups: string[];
  links: { account: string; username: string; linkedAt: string }[];
}

export interface PeopleQuery {
  limit: number;
  /** The cursor of the page before. */
  before?: string | undefined;
  /** The beginning of an address or a name, or a whole secondary address or directory id. */
  search?: string | undefined;
  leaving?: boolean | undefined;
}

/** Newest first. */
export async function listPeople(
  db: Db,
  { limit, before, search, leaving }: PeopleQuery,
): Promise<ListPage<PersonItem>> {
  const at = leaving === true ? 'leaving_since' : 'created_at';
  const cursor = before === undefined ? null : readTimedCursor(before);
  const rows = await db
    .selectFrom('person')
    .selectAll()
    .select(sql<string>`${sql.ref(at)}::text`.as('cursor'))
    .$if(leaving === true, (qb) => qb.where('leaving_since', 'is not', null))
    .$if(search !== undefined, (qb) => qb.where(resembles(search as string)))
    .$if(cursor !== null, (qb) =>
      qb.where(sql<SqlBool>`(${sql.ref(at)}, id) < (${cursor?.at}::timestamptz, ${cursor?.id}::uuid)`),
    )
    .orderBy(at, 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { items: page.map(toItem), next: rows.length > limit && last ? timedCursor(last) : null };
}

/** null when nobody has the id. */
export async function showPerson(db: Db, id: string): Promise<PersonDetail | null> {
  const row = await db.selectFrom('person').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) return null;
  const links = await db.selectFrom('link').selectAll().where('person_id', '=', id).orderBy('account').execute();
  return {
    ...toItem(row),
    managerEmail: row.manager_email,
    groups: row.groups,
    links: links.map(({ account, username, linked_at }) => ({ account, username, linkedAt: linked_at.toISOString() })),
  };
}

/** Each half of it has its index. */
function resembles(text: string): RawBuilder<SqlBool> {
  const wanted = canonicalAddress(text);
  const beginning = `${wanted.replace(/[\\%_]/g, '\\$&')}%`;
  return sql<SqlBool>`(lower(emails[1]) like ${beginning} or emails @> array[${wanted}]::text[]
    or lower(last_name) like ${beginning} or lower(first_name) like ${beginning} or directory_id = ${text.trim()})`;
}

interface Row {
  id: string;
  directory: string;
  directory_id: string | null;
  emails: string[];
  first_name: string | null;
  last_name: string | null;
  seen_at: Date | null;
  leaving_since: Date | null;
  created_at: Date;
}

function toItem(row: Row): PersonItem {
  return {
    id: row.id,
    directory: row.directory,
    directoryId: row.directory_id,
    email: row.emails[0] ?? null,
    emails: row.emails,
    firstName: row.first_name,
    lastName: row.last_name,
    seenAt: row.seen_at?.toISOString() ?? null,
    leavingSince: row.leaving_since?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  };
}
