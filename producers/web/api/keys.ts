import { z } from 'zod';
import { adoptKey, changeOwner, readKeysAnew } from '#shared/operations/keys.js';
import type { Db } from '#shared/store/database.js';
import { type KeyFilter, listKeys } from '#shared/store/key-register.js';
import { actorOf } from '../access.js';
import type { ApiContext, ApiServer } from './context.js';
import { address, assertAccount, at, countedListQuery, page, searchConfig } from './schemas.js';

const key = z.object({
  account: z.string(),
  subuser: z.string().nullable(),
  id: z.string(),
  name: z.string(),
  state: z.enum(['registered', 'unattributed', 'gone']),
  owner: z.string().nullable(),
  onLeave: z.enum(['revoke', 'successor']).nullable(),
  firstSeenAt: at,
});

const place = z.strictObject({ account: z.string(), id: z.string().regex(/^[\w-]{1,100}$/) });
const owned = z.object({ account: z.string(), id: z.string(), name: z.string(), owner: z.string() });

async function keysPage(db: Db, filter: KeyFilter, limit: number, before = '0') {
  const offset = Number(before);
  const keys = await listKeys(db, filter, { limit: limit + 1, offset });
  return { items: keys.slice(0, limit), next: keys.length > limit ? String(offset + limit) : null };
}

export function keyRoutes(app: ApiServer, { db, config, policy, outside, scrub }: ApiContext): void {
  app.get(
    '/keys',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['keys'],
        summary: 'API keys with their owners, as last read; by account, subuser and name',
        querystring: countedListQuery.extend({
          account: z.string().optional(),
          unattributed: z.stringbool().optional(),
        }),
        response: { 200: page(key) },
      },
    },
    ({ query: { limit, before, ...filter } }) => keysPage(db, filter, limit, before),
  );

  app.post(
    '/keys/search',
    {
      config: searchConfig,
      schema: {
        tags: ['keys'],
        summary: 'The same by owner',
        body: countedListQuery.extend({
          account: z.string().optional(),
          unattributed: z.boolean().optional(),
          owner: address.optional(),
        }),
        response: { 200: page(key) },
      },
    },
    ({ body: { limit, before, ...filter } }) => keysPage(db, filter, limit, before),
  );

  app.post(
    '/keys/readings',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['keys'],
        summary: 'Read the keys of the accounts anew, and list them all',
        body: z.strictObject({ account: z.string().optional(), unattributed: z.boolean().default(false) }),
        response: {
          200: page(key).extend({
            unread: z
              .array(z.object({ account: z.string(), part: z.string().nullable(), reason: z.string() }))
              .describe('What could not be read: its keys are listed as they were known'),
          }),
        },
      },
    },
    async ({ body }) => {
      if (body.account !== undefined) assertAccount(config.accounts, body.account);
      const { items, unread } = await readKeysAnew(db, policy, outside().clients, body);
      return { items, next: null, unread: unread.map((one) => ({ ...one, reason: scrub(one.reason) })) };
    },
  );

  app.post(
    '/keys/:account/:id/adopt',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['keys'],
        summary: 'Register who owns a key that exists',
        params: place,
        body: z.strictObject({
          owner: address,
          subuser: z.string().optional(),
          onLeave: z.enum(['revoke', 'successor']).optional(),
        }),
        response: { 200: owned },
      },
    },
    async (request) => {
      const { account, id } = request.params;
      const { owner, subuser = null, onLeave = null } = request.body;
      assertAccount(config.accounts, account);
      const client = outside().clients.get(account);
      if (client === undefined) throw new Error(`no client for ${account}`);
      const name = await adoptKey(db, client, { account, subuser, owner, onLeave, by: actorOf(request) }, id);
      return { account, id, name, owner };
    },
  );

  app.put(
    '/keys/:account/:id/owner',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['keys'],
        summary: 'Give a key of the register another owner',
        params: place,
        body: z.strictObject({ owner: address, subuser: z.string().optional() }),
        response: { 200: owned },
      },
    },
    async (request) => {
      const { account, id } = request.params;
      const { owner, subuser = null } = request.body;
      assertAccount(config.accounts, account);
      const name = await changeOwner(db, { account, subuser, owner, by: actorOf(request) }, id);
      return { account, id, name, owner };
    },
  );
}
