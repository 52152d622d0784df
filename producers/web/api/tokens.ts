import { z } from 'zod';
import { roles } from '#shared/access/roles.js';
import { appendAudit } from '#shared/audit/append.js';
import { defaultTokenDays, endToken, makeToken, maxTokenDays } from '#shared/operations/tokens.js';
import { listTokens } from '#shared/store/api-tokens.js';
import { listUsers, removeUser } from '#shared/store/sessions.js';
import { actorOf } from '../access.js';
import type { ApiContext, ApiServer } from './context.js';
import { at, atOrNull, byId, found, page } from './schemas.js';

const tokenName = z.string().regex(/^[\w.@+-]{1,100}$/);

const token = z.object({
  id: z.string(),
  state: z.enum(['active', 'expired', 'revoked']),
  name: z.string(),
  role: z.enum(roles),
  createdBy: z.string(),
  createdAt: at,
  expiresAt: at,
  lastUsedAt: atOrNull,
});

const user = z.object({ id: z.string(), name: z.string(), sessions: z.number(), createdAt: at, signedInAt: at });

export function tokenRoutes(app: ApiServer, { db }: ApiContext): void {
  app.get(
    '/me',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['access'],
        summary: 'Who asks, and what they may do',
        response: { 200: z.object({ actor: z.string(), role: z.enum(roles), provenSecondsAgo: z.number() }) },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      const { role, provenMsAgo } = request.caller ?? { role: 'viewer' as const, provenMsAgo: 0 };
      return { actor, role, provenSecondsAgo: Math.round(provenMsAgo / 1_000) };
    },
  );

  app.get(
    '/tokens',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['access'],
        summary: 'API tokens by name; their values are stored nowhere',
        querystring: z.strictObject({
          limit: z.coerce.number().int().min(1).max(500).default(50),
          before: tokenName.optional(),
        }),
        response: { 200: page(token) },
      },
    },
    ({ query }) => listTokens(db, query),
  );

  app.post(
    '/tokens',
    {
      config: { access: 'admin', fresh: true, shownOnce: true },
      schema: {
        tags: ['access'],
        summary: 'Make a token; its value is shown this once',
        body: z.strictObject({
          name: tokenName,
          role: z.enum(roles),
          days: z.int().min(1).max(maxTokenDays).default(defaultTokenDays),
        }),
        response: { 201: token.extend({ token: z.string() }) },
      },
    },
    async (request, reply) => {
      const made = await makeToken(db, { ...request.body, by: actorOf(request) });
      return reply.code(201).send(made);
    },
  );

  app.delete(
    '/tokens/:id',
    {
      config: { access: 'admin' },
      schema: { tags: ['access'], summary: 'End a token at once', params: byId, response: { 200: token } },
    },
    (request) => endToken(db, { id: request.params.id }, actorOf(request)),
  );

  app.get(
    '/users',
    {
      config: { access: 'admin' },
      schema: { tags: ['access'], summary: 'Who has signed in by name', response: { 200: page(user) } },
    },
    async () => ({ items: await listUsers(db), next: null }),
  );

  app.delete(
    '/users/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['access'],
        summary: 'End every session of a user at once; whether they may come back is the identity provider’s to say',
        params: byId,
        response: { 200: z.object({ id: z.string(), name: z.string() }) },
      },
    },
    async (request) => {
      const { id } = request.params;
      return db.transaction().execute(async (tx) => {
        const removed = found('user', id, await removeUser(tx, id));
        await appendAudit(tx, { kind: 'session.closed', actor: actorOf(request), detail: { user: removed.name } });
        return removed;
      });
    },
  );
}
