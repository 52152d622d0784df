import { z } from 'zod';
import type { Role } from '#shared/access/roles.js';
import { SendoffError } from '#shared/errors.js';
import { endToken, makeToken } from '#shared/operations/tokens.js';
import { listTokens } from '#shared/store/api-tokens.js';
import { everyPage } from '#shared/store/lists.js';
import type { DatabaseSession } from '../database.js';
import type { Server } from '../server/client.js';
import { page } from '../server/documents.js';

const token = z.object({
  id: z.string(),
  state: z.string(),
  name: z.string(),
  role: z.string(),
  createdBy: z.string(),
  expiresAt: z.string(),
  lastUsedAt: z.string().nullable(),
});
const made = token.extend({ token: z.string() });
type Token = z.infer<typeof token>;

/** Keys of programs to the API. */
export interface Tokens {
  /** With its value, which is shown this once. @throws SendoffError TOKEN_NAME_TAKEN */
  create(wanted: { name: string; role: Role; days: number }): Promise<z.infer<typeof made>>;
  list(): Promise<Token[]>;
  /** @throws SendoffError NOT_FOUND */
  revoke(name: string): Promise<Token>;
}

export function inDatabase({ db, by }: DatabaseSession): Tokens {
  return {
    create: (wanted) => makeToken(db, { ...wanted, by: by() }),
    list: () => everyPage((before) => listTokens(db, { limit: 500, before })),
    revoke: (name) => endToken(db, { name }, by()),
  };
}

export function atServer(server: Server): Tokens {
  const list = () => everyPage((before) => server.get('/tokens', page(token), { limit: 500, before }));
  return {
    create: (wanted) => server.post('/tokens', made, wanted),
    list,
    async revoke(name) {
      const named = (await list()).find((one) => one.name === name && one.state !== 'revoked');
      if (named === undefined) {
        throw new SendoffError('there is no such token, or it was revoked before', {
          code: 'NOT_FOUND',
          blame: 'input',
          remedy: 'sendoff tokens list',
        });
      }
      return server.delete(`/tokens/${named.id}`, token);
    },
  };
}
