import type { Role } from '#shared/access/roles.js';
import { appendAudit } from '#shared/audit/append.js';
import { SendoffError } from '#shared/errors.js';
import { createToken, revokeToken, type TokenItem } from '#shared/store/api-tokens.js';
import type { Db } from '#shared/store/database.js';

/** Nobody's token outlives a year. */
export const maxTokenDays = 366;
export const defaultTokenDays = 90;

/** @returns the token with its value, which is shown this once @throws SendoffError TOKEN_NAME_TAKEN */
export async function makeToken(
  db: Db,
  token: { name: string; role: Role; days: number; by: string },
): Promise<TokenItem & { token: string }> {
  return db.transaction().execute(async (tx) => {
    const made = await createToken(tx, token);
    const { name, role, days, by } = token;
    await appendAudit(tx, { kind: 'token.created', actor: by, detail: { name, role, days } });
    return made;
  });
}

/** From now on it opens nothing. @throws SendoffError NOT_FOUND */
export async function endToken(db: Db, which: { id: string } | { name: string }, by: string): Promise<TokenItem> {
  return db.transaction().execute(async (tx) => {
    const token = await revokeToken(tx, which, by);
    if (token === null) {
      throw new SendoffError('there is no such token, or it was revoked before', {
        code: 'NOT_FOUND',
        blame: 'input',
        remedy: 'sendoff tokens list',
      });
    }
    await appendAudit(tx, { kind: 'token.revoked', actor: by, detail: { name: token.name } });
    return token;
  });
}
