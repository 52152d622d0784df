import { z } from 'zod';
import { appendAudit } from '#shared/audit/append.js';
import { planStates } from '#shared/lifecycle/types.js';
import { listRuns, requestReconcile, showRequest } from '#shared/store/reconcile-requests.js';
import { actorOf } from '../access.js';
import type { ApiContext, ApiServer } from './context.js';
import { assertAccount, at, atOrNull, byId, found as known, listQuery, page, personRef } from './schemas.js';

const mode = z.enum(['cheap', 'deep']);

const progress = z.object({ done: z.number(), of: z.number() });

const run = z.object({
  id: z.string(),
  state: z.enum(['running', 'done', 'broken-off']),
  mode,
  by: z.string(),
  startedAt: at,
  finishedAt: atOrNull,
  progress: progress.nullable(),
  summary: z
    .object({
      people: z.record(z.string(), z.number()).optional(),
      accounts: z.array(
        z.object({ account: z.string(), complete: z.boolean(), teammates: z.number(), drift: z.number() }),
      ),
      unannounced: z.number(),
      problems: z.array(z.string()),
    })
    .nullable(),
});

const difference = z.object({
  kind: z.string(),
  account: z.string(),
  subuser: z.string().nullable(),
  footprint: z.enum(['teammate', 'invitation']),
  target: z.string(),
  email: z.string(),
  directory: z.string().nullable(),
  directoryId: z.string().nullable(),
  detail: z.string(),
  announced: z.boolean(),
  plan: z.string().nullable().describe('null: it is only reported'),
});

const found = z.object({
  account: z.string(),
  complete: z.boolean(),
  teammates: z.number(),
  drift: z.array(difference),
  plans: z.array(z.object({ id: z.string(), state: z.enum(planStates), person: personRef })),
  problems: z.array(z.string()),
});

const request = z.object({
  id: z.string(),
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  mode,
  account: z.string().nullable(),
  acceptShrink: z.boolean(),
  by: z.string(),
  requestedAt: at,
  runId: z.string().nullable(),
  progress: progress.nullable(),
  problem: z.string().nullable(),
  accounts: z.array(found).nullable().describe('What it found; null until it is through, and after a day'),
});

export function reconciliationRoutes(app: ApiServer, { db, config }: ApiContext): void {
  app.get(
    '/reconciliations',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['reconciliations'],
        summary: 'Comparisons of rosters and directory, newest first',
        querystring: listQuery,
        response: { 200: page(run) },
      },
    },
    ({ query }) => listRuns(db, query),
  );

  for (const shrunk of [false, true]) {
    app.post(
      shrunk ? '/reconciliations/accept-shrink' : '/reconciliations',
      {
        // What shrank is held back by a guard: to overrule it is an approver's.
        config: shrunk ? { access: 'approver', fresh: true } : { access: 'operator' },
        schema: {
          tags: ['reconciliations'],
          summary: shrunk
            ? 'Compare, and measure by what lists fewer people than the last time from now on'
            : 'Compare all rosters with the directory as soon as a worker can',
          body: z.strictObject({ mode: mode.default('deep'), account: z.string().optional() }),
          response: { 202: request },
        },
      },
      async (asked, reply) => {
        const { mode, account = null } = asked.body;
        if (account !== null) assertAccount(config.accounts, account);
        const by = actorOf(asked);
        const id = await db.transaction().execute(async (tx) => {
          const detail = { mode, acceptShrink: shrunk };
          await appendAudit(tx, { kind: 'reconcile.requested', account, actor: by, detail });
          return requestReconcile(tx, { mode, account, acceptShrink: shrunk, by });
        });
        return reply.code(202).send(known('request', id, await showRequest(db, id)));
      },
    );
  }

  app.get(
    '/reconciliations/requests/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['reconciliations'],
        summary: 'What became of a request',
        params: byId,
        response: { 200: request },
      },
    },
    async ({ params: { id } }) => known('request', id, await showRequest(db, id)),
  );
}
