import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Role } from '#shared/access/roles.js';
import { SendoffError } from '#shared/errors.js';
import type { Db } from './database.js';
import type { ListPage, ListQuery } from './lists.js';
import { together } from './together.js';

/** Recognisable wherever it turns up, and to scanners of leaked secrets. */
const prefix = 'sendoff_';

export interface TokenItem {
  id: string;
  state: 'active' | 'expired' | 'revoked';
  name: string;
  role: Role;
  createdBy: string;
  createdAt: string;
  expiresAt: string;
  /** To the minute. */
  lastUsedAt: string | null;
}

/** Makes a token. A name is used once: the audit trail calls its bearer by it. @throws SendoffError TOKEN_NAME_TAKEN */
export async function createToken(
  db: Db,
  { name, role, days, by }: { name: string; role: Role; days: number; by: string },
): Promise<TokenItem & { token: string }> {
  const token = prefix + randomBytes(32).toString('base64url');
  const row = await db
    .insertInto('api_token')
    .values({
      name,
      role,
      hash: hash(token),
      created_by: by,
      expires_at: sql<Date>`now() + make_interval(days => ${days})`,
      revoked_by: null,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returningAll()
    .returning(expired.as('expired'))
    .executeTakeFirst();
  if (row !== undefined) return { ...toItem(row), token };
  throw new SendoffError(`there is or was a token called ${name}`, {
    code: 'TOKEN_NAME_TAKEN',
    blame: 'input',
    remedy: 'choose a name that no token had before, such as one with the date',
  });
}

/** Whose token is it? null when it is unknown, expired or revoked. Its last use is noted once a minute. */
export async function useToken(db: Db, token: string): Promise<{ name: string; role: Role } | null> {
  if (!token.startsWith(prefix)) return null;
  const row = await db
    .selectFrom('api_token')
    .select(['id', 'name', 'role'])
    .select(sql<boolean>`coalesce(last_used_at < now() - interval '1 minute', true)`.as('stale'))
    .where('hash', '=', hash(token))
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', sql<Date>`now()`)
    .executeTakeFirst();
  if (row === undefined) return null;
  if (row.stale) {
    await db.updateTable('api_token').set({ last_used_at: sql<Date>`now()` }).where('id', '=', row.id).execute();
  }
  return { name: row.name, role: row.role };
}

/** Does the token still open what it opened? To ask is no use of it. */
export const standingToken = together(
  async (db: Db, tokens: string[]): Promise<({ name: string; role: Role } | null)[]> => {
    const hashes = tokens.map(hash);
    const rows = await db
      .selectFrom('api_token')
      .select(['hash', 'name', 'role'])
      .where('hash', 'in', hashes)
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', sql<Date>`now()`)
      .execute();
    return hashes.map((one) => rows.find((row) => row.hash.equals(one)) ?? null);
  },
);

/** By id or name. @returns null when there is no such token, or it was revoked before */
export async function revokeToken(
  db: Db,
  which: { id: string } | { name: string },
  by: string,
): Promise<TokenItem | null> {
  const row = await db
    .updateTable('api_token')
    .set({ revoked_at: sql<Date>`now()`, revoked_by: by })
    .where('id' in which ? 'id' : 'name', '=', 'id' in which ? which.id : which.name)
    .where('revoked_at', 'is', null)
    .returningAll()
    .returning(expired.as('expired'))
    .executeTakeFirst();
  return row === undefined ? null : toItem(row);
}

/** By name: there are few. */
export async function listTokens(db: Db, query: ListQuery): Promise<ListPage<TokenItem>> {
  const rows = await db
    .selectFrom('api_token')
    .selectAll()
    .select(expired.as('expired'))
    .$if(query.before !== undefined, (qb) => qb.where('name', '>', query.before as string))
    .orderBy('name')
    .limit(query.limit + 1)
    .execute();
  const page = rows.slice(0, query.limit);
  return { items: page.map(toItem), next: rows.length > query.limit ? (page.at(-1)?.name ?? null) : null };
}

const expired = sql<boolean>`expires_at <= now()`;

interface TokenRow {
  id: string;
  name: string;
  role: Role;
  created_by: string;
  created_at: Date;
  expires_at: Date;
  last_used_at: Date | null;
  revoked_at: Date | null;
  expired: boolean;
}

function toItem(row: TokenRow): TokenItem {
  return {
    id: row.id,
    state: row.revoked_at !== null ? 'revoked' : row.expired ? 'expired' : 'active',
    name: row.name,
    role: row.role,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
  };
}

function hash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
