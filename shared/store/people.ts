import { sql, type Transaction } from 'kysely';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { DirectoryPerson, Link, Person, PersonRef } from '#shared/lifecycle/types.js';
import type { Db } from './database.js';
import type { Schema } from './schema.js';

type Tx = Transaction<Schema>;

/** A person's row as the planning code needs it. */
export interface PersonRow extends Person {
  directory: string;
  /** Has the directory ever shown this id? */
  seen: boolean;
  /** What the directory last said while it still knew. */
  groups: string[];
  managerEmail: string | null;
  /** Since when they have been leaving without a break; null: they are not. */
  leavingSince: Date | null;
}

/**
 * The person a sender names, created at first sight. By directory id when there is one; an address alone finds only a
 * person who has no directory id.
 */
export async function personFor(db: Db, directory: string, ref: PersonRef): Promise<PersonRow> {
  const email = ref.email === null ? null : canonicalAddress(ref.email);
  if (ref.directoryId !== null) {
    await db
      .insertInto('person')
      .values({ directory, directory_id: ref.directoryId, emails: email === null ? [] : [email] })
      .onConflict((conflict) =>
        // What the directory said stands; an address that only a sender named fills a gap.
        conflict
          .columns(['directory', 'directory_id'])
          .doUpdateSet({ emails: sql<string[]>`excluded.emails` })
          .where('person.emails', '=', sql<string[]>`'{}'::text[]`),
      )
      .execute();
    return readPerson(db, (eb) => eb.and([eb('directory', '=', directory), eb('directory_id', '=', ref.directoryId)]));
  }
  const emails = [email ?? ''];
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`person ${directory} ${email}`}, 0))`.execute(tx);
    const existing = await tx
      .selectFrom('person')
      .select('id')
      .where('directory', '=', directory)
      .where('directory_id', 'is', null)
      .where('emails', '@>', sql<string[]>`${emails}::text[]`)
      .executeTakeFirst();
    const id =
      existing?.id ??
      (
        await tx
          .insertInto('person')
          .values({ directory, directory_id: null, emails })
          .returning('id')
          .executeTakeFirstOrThrow()
      ).id;
    return personById(tx, id);
  });
}

/** Whom this directory has shown with one of these addresses, by the last that was heard of them. */
export async function seenIn(db: Db, directory: string, emails: string[]): Promise<PersonRow[]> {
  if (emails.length === 0) return [];
  const rows = await db
    .selectFrom('person')
    .select('id')
    .where('directory', '=', directory)
    .where('directory_id', 'is not', null)
    .where('seen_at', 'is not', null)
    .where('emails', '&&', sql<string[]>`${emails}::text[]`)
    .limit(2)
    .execute();
  return Promise.all(rows.map(({ id }) => personById(db, id)));
}

/** Everybody who ever had one of these addresses: an address may outlive the id it was known by. */
export async function personsWith(db: Db, emails: string[]): Promise<string[]> {
  if (emails.length === 0) return [];
  const rows = await db
    .selectFrom('person')
    .select('id')
    .where('emails', '&&', sql<string[]>`${emails.map(canonicalAddress)}::text[]`)
    .execute();
  return rows.map((row) => row.id);
}

export async function personById(db: Db, id: string): Promise<PersonRow> {
  return readPerson(db, (eb) => eb('id', '=', id));
}

type Where = Parameters<ReturnType<typeof selectPerson>['where']>[0];

function selectPerson(db: Db) {
  return db.selectFrom('person').selectAll();
}

async function readPerson(db: Db, where: Where): Promise<PersonRow> {
  const row = await selectPerson(db).where(where).executeTakeFirstOrThrow();
  const links = await db.selectFrom('link').select(['account', 'username']).where('person_id', '=', row.id).execute();
  return {
    id: row.id,
    directory: row.directory,
    directoryId: row.directory_id,
    emails: row.emails,
    seen: row.seen_at !== null,
    groups: row.groups,
    managerEmail: row.manager_email,
    leavingSince: row.leaving_since,
    links,
  };
}

/**
 * Announces that the directory is about to be read for this person. A plan made from an earlier announcement is then
 * discarded, so the freshest reading decides whatever order the events came in.
 * @returns the version to hand to `isLatestReading`
 */
export async function beginReading(db: Db, personId: string): Promise<number> {
  const row = await db
    .updateTable('person')
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .where('id', '=', personId)
    .returning('version')
    .executeTakeFirstOrThrow();
  return row.version;
}

/** Locks the person until the transaction ends. False when a later reading has begun meanwhile. */
export async function isLatestReading(tx: Tx, personId: string, version: number): Promise<boolean> {
  const row = await tx
    .selectFrom('person')
    .select('version')
    .where('id', '=', personId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  return row.version === version;
}

/**
 * Keeps what the directory just said: it is what is left to go by once the id is gone. Groups and manager are kept from
 * when the person was active: directories empty them for who is not.
 */
export async function rememberPerson(
  tx: Tx,
  personId: string,
  found: DirectoryPerson,
  managerEmail: string | null,
): Promise<void> {
  await tx
    .updateTable('person')
    .set({
      emails: [...new Set(found.emails.map(canonicalAddress))],
      first_name: found.firstName,
      last_name: found.lastName,
      ...(found.standing === 'active' ? { groups: found.groups } : {}),
      ...(managerEmail === null ? {} : { manager_email: managerEmail }),
      seen_at: sql<Date>`now()`,
    })
    .where('id', '=', personId)
    .execute();
}

/** Ties a person to teammates; a tie that exists stays. */
export async function rememberLinks(tx: Tx, personId: string, links: Link[]): Promise<void> {
  if (links.length === 0) return;
  await tx
    .insertInto('link')
    .values(links.map((link) => ({ person_id: personId, ...link })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Cuts the tie to a teammate who is no more: the name may be given to somebody else. */
export async function forgetLink(tx: Tx, personId: string, link: Link): Promise<void> {
  await tx
    .deleteFrom('link')
    .where('person_id', '=', personId)
    .where('account', '=', link.account)
    .where('username', '=', link.username)
    .execute();
}

/**
 * Which of these teammates are tied to somebody other than this person?
 * @param lesser directories whose people give way: a tie to one of them says nothing against this person
 */
export async function foreignLinks(
  db: Db,
  personId: string,
  candidates: Link[],
  lesser: readonly string[],
): Promise<Link[]> {
  if (candidates.length === 0) return [];
  return db
    .selectFrom('link')
    .innerJoin('person', 'person.id', 'link.person_id')
    .select(['link.account', 'link.username'])
    .where('link.person_id', '!=', personId)
    .where((eb) =>
      eb.or(candidates.map((c) => eb.and([eb('link.account', '=', c.account), eb('link.username', '=', c.username)]))),
    )
    .where((eb) => eb.not(eb('person.directory', '=', eb.fn.any(eb.val([...lesser])))))
    .execute();
}

/** Starts the clock of the grace period, or stops it: leaving means without a break. */
export async function rememberLeaving(tx: Tx, personId: string, leaving: boolean): Promise<void> {
  await tx
    .updateTable('person')
    .set({ leaving_since: leaving ? sql<Date>`coalesce(leaving_since, now())` : null })
    .where('id', '=', personId)
    .execute();
}

/** A tie with the directory id it leads to. */
export interface LinkOf extends Link {
  directory: string;
  directoryId: string | null;
}

export async function linksIn(db: Db, account: string): Promise<LinkOf[]> {
  return db
    .selectFrom('link')
    .innerJoin('person', 'person.id', 'link.person_id')
    .select(['link.account', 'link.username', 'person.directory', 'person.directory_id as directoryId'])
    .where('link.account', '=', account)
    .execute();
}

/** Ties active people to the teammates that are theirs, all at once; ties that exist, to whomever, stay. */
export async function linkMatched(
  db: Db,
  account: string,
  matched: { directory: string; directoryId: string; email: string; username: string }[],
): Promise<void> {
  if (matched.length === 0) return;
  const directories = matched.map((one) => one.directory);
  const ids = matched.map((one) => one.directoryId);
  const emails = matched.map((one) => canonicalAddress(one.email));
  const usernames = matched.map((one) => one.username);
  await sql`
    with matched as (
      select * from unnest(${directories}::text[], ${ids}::text[], ${emails}::text[], ${usernames}::text[])
        as m (directory, directory_id, email, username)
    ), made as (
      insert into person (directory, directory_id, emails, seen_at)
      select distinct on (directory, directory_id) directory, directory_id, array[email], now() from matched
      on conflict (directory, directory_id) do update set seen_at = now()
      returning id, directory, directory_id
    )
    insert into link (person_id, account, username)
    select made.id, ${account}, matched.username from matched join made using (directory, directory_id)
    where not exists (select from link other where other.account = ${account} and other.username = matched.username)
    on conflict do nothing`.execute(db);
}
