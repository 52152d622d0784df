import { createHash, randomBytes } from 'node:crypto';
import { type SqlBool, sql } from 'kysely';
import { SendoffError } from '#shared/errors.js';
import type { Db } from './database.js';
import { together } from './together.js';

const idleMinutes = 30;
const absoluteHours = 12;

/** Somebody as an identity provider vouches for them. */
export interface Identity {
  issuer: string;
  subject: string;
  /** What to call them: their address, where the provider tells one. */
  name: string;
}

export interface ConsoleUser {
  id: string;
  name: string;
}

/**
 * The user behind issuer and subject, made at the first sign-in. The name is kept: whoever could change theirs could
 * pass for somebody else in the audit trail, and for a second person where two are needed.
 * @throws SendoffError USER_NAME_TAKEN
 */
export async function userFor(db: Db, { issuer, subject, name }: Identity): Promise<ConsoleUser> {
  const known = await db
    .updateTable('console_user')
    .set({ signed_in_at: sql<Date>`now()` })
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .returning(['id', 'name'])
    .executeTakeFirst();
  if (known !== undefined) return known;
  const made = await db
    .insertInto('console_user')
    .values({ issuer, subject, name })
    .onConflict((conflict) => conflict.doNothing())
    .returning(['id', 'name'])
    .executeTakeFirst();
  if (made !== undefined) return made;
  throw new SendoffError('another user of the identity provider has this name here already', {
    code: 'USER_NAME_TAKEN',
    blame: 'input',
    remedy: 'an administrator removes the former user: DELETE /api/v1/users/<id>',
  });
}

export interface NewSession {
  actor: string;
  /** null: signed in by the admin token. */
  userId: string | null;
  groups: readonly string[];
  /** When they proved who they are; null: just now. */
  provenAt: Date | null;
}

/** @returns the value for the cookie; only its hash is stored */
export async function openSession(db: Db, { actor, userId, groups, provenAt }: NewSession): Promise<string> {
  const value = randomBytes(32).toString('base64url');
  await db
    .insertInto('session')
    .values({
      id: hash(value),
      actor,
      user_id: userId,
      groups: [...groups],
      proven_at: provenAt === null ? sql<Date>`now()` : sql<Date>`least(${provenAt}::timestamptz, now())`,
    })
    .execute();
  await db
    .deleteFrom('session')
    .where('created_at', '<', sql<Date>`now() - make_interval(hours => ${absoluteHours})`)
    .execute();
  return value;
}

export interface Session {
  actor: string;
  userId: string | null;
  groups: string[];
  /** How long ago they proved who they are, by the database's clock. */
  provenMsAgo: number;
}

const sessionFacts = [
  'actor',
  'user_id',
  'groups',
  sql<number>`(extract(epoch from now() - proven_at) * 1000)::float8`.as('proven_ms_ago'),
] as const;

const isOpen = sql<SqlBool>`seen_at > now() - make_interval(mins => ${idleMinutes})
  and created_at > now() - make_interval(hours => ${absoluteHours})`;

/** Whose session is it? null when it is unknown, was idle for half an hour or is half a day old. */
export async function useSession(db: Db, value: string): Promise<Session | null> {
  const row = await db
    .updateTable('session')
    .set({ seen_at: sql<Date>`now()` })
    .where('id', '=', hash(value))
    .where(isOpen)
    .returning(sessionFacts)
    .executeTakeFirst();
  return toSession(row);
}

function toSession(
  row: { actor: string; user_id: string | null; groups: string[]; proven_ms_ago: number } | undefined,
): Session | null {
  if (row === undefined) return null;
  return { actor: row.actor, userId: row.user_id, groups: row.groups, provenMsAgo: row.proven_ms_ago };
}

/** Is the session still open, and whose? To ask is no use of it. */
export const standingSession = together(async (db: Db, values: string[]): Promise<(Session | null)[]> => {
  const hashes = values.map(hash);
  const rows = await db
    .selectFrom('session')
    .select(['id', ...sessionFacts])
    .where('id', 'in', hashes)
    .where(isOpen)
    .execute();
  return hashes.map((id) => toSession(rows.find((row) => row.id.equals(id))));
});

/** @returns whose it was; null: it was none */
export async function closeSession(db: Db, value: string): Promise<string | null> {
  const row = await db.deleteFrom('session').where('id', '=', hash(value)).returning('actor').executeTakeFirst();
  return row?.actor ?? null;
}

/** One who has signed in, as the API shows them. */
export interface UserItem extends ConsoleUser {
  sessions: number;
  createdAt: string;
  signedInAt: string;
}

export async function listUsers(db: Db): Promise<UserItem[]> {
  const rows = await db
    .selectFrom('console_user')
    .leftJoin('session', 'session.user_id', 'console_user.id')
    .select(['console_user.id', 'console_user.name', 'console_user.created_at', 'console_user.signed_in_at'])
    .select(sql<number>`count(session.id)::int`.as('sessions'))
    .groupBy('console_user.id')
    .orderBy('console_user.name')
    .limit(1_000)
    .execute();
  return rows.map(({ id, name, sessions, created_at, signed_in_at }) => ({
    id,
    name,
    sessions,
    createdAt: created_at.toISOString(),
    signedInAt: signed_in_at.toISOString(),
  }));
}

/** Ends every session of a user at once and forgets them: the next sign-in is their first. @returns null: unknown */
export async function removeUser(db: Db, id: string): Promise<ConsoleUser | null> {
  await db.deleteFrom('session').where('user_id', '=', id).execute();
  const row = await db.deleteFrom('console_user').where('id', '=', id).returning(['id', 'name']).executeTakeFirst();
  return row ?? null;
}

function hash(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}
