import { z } from 'zod';
import { actionStates, planStates } from '#shared/lifecycle/types.js';
import { assertAddress } from '#shared/operations/orders.js';
import { answerPlan } from '#shared/planning/answer-plan.js';
import { previewPlan } from '#shared/planning/preview-plan.js';
import { listActions } from '#shared/store/actions.js';
import { listTodos } from '#shared/store/overview.js';
import { listPlans, showPlan } from '#shared/store/plans.js';
import { actorOf } from '../access.js';
import type { ApiContext, ApiServer } from './context.js';
import { address, at, atOrNull, byId, found, given, knownPerson, listQuery, page, reason, todo } from './schemas.js';

const access = z.object({
  admin: z.boolean(),
  scopes: z.array(z.string()),
  subusers: z
    .array(z.object({ id: z.number(), permission: z.enum(['admin', 'restricted']), scopes: z.array(z.string()) }))
    .nullable(),
});
/** A teammate's access, or the fields that matter of anything else. */
const snapshot = z.union([access, z.object({ fields: z.record(z.string(), z.string()) })]).nullable();

export const action = z.object({
  id: z.string(),
  planId: z.string(),
  state: z.enum(actionStates),
  kind: z.string(),
  footprint: z.string(),
  account: z.string(),
  subuser: z.string().nullable(),
  target: z.string(),
  label: z.string().nullable(),
  to: z.string().nullable(),
  person: knownPerson,
  reason: z.string(),
  attempts: z.number(),
  lastError: z.string().nullable(),
  before: snapshot,
  after: snapshot,
  createdAt: at,
  finishedAt: atOrNull,
});

const guard = z.object({
  rule: z.string(),
  account: z.string(),
  target: z.string().nullable(),
  detail: z.string(),
});

export const plan = z.object({
  id: z.string(),
  state: z.enum(planStates),
  verdict: z.enum(['leaver', 'suspended', 'unassigned', 'keep']),
  person: knownPerson,
  cause: z.object({ source: z.string(), eventId: z.string(), event: z.string() }),
  reasons: z.array(z.string()),
  actions: z.array(action),
  refused: z.array(guard),
  notRead: z.array(
    z.object({
      account: z.string(),
      part: z.string().nullable(),
      reason: z.string(),
      retryMs: z.number().nullable(),
    }),
  ),
  todos: z.array(todo),
  hold: z.object({ reasons: z.array(z.string()), setHash: z.string().nullable(), expiresAt: atOrNull }).nullable(),
  createdAt: at,
  settledAt: atOrNull,
  lastError: z.string().nullable(),
});

const preview = plan.omit({ settledAt: true, lastError: true }).extend({
  id: z.null(),
  cause: z.null(),
  createdAt: z.null(),
  actions: z.array(
    action
      .omit({ person: true, before: true, after: true, createdAt: true, finishedAt: true })
      .extend({ id: z.null(), planId: z.null() }),
  ),
});

const answerBody = z.strictObject({
  setHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('Of the held changes that were shown: hold.setHash'),
  reason: reason.optional().describe('Why; kept in the audit trail'),
});

export function planRoutes(app: ApiServer, context: ApiContext): void {
  const { db, outside, scrub } = context;
  app.get(
    '/plans',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['plans'],
        summary: 'What was decided for whom, newest first',
        querystring: listQuery.extend({
          state: z.enum(planStates).optional(),
          personId: z.uuid().optional(),
          leaving: z
            .stringbool()
            .optional()
            .describe('Of each person only what was decided last, if it takes access away'),
        }),
        response: { 200: page(plan) },
      },
    },
    ({ query: { limit, ...query } }) => listPlans(db, { limit, ...given(query) }),
  );

  app.post(
    '/plans/preview',
    {
      // It asks the directory and every account, as the doctor does.
      config: { access: 'operator' },
      schema: {
        tags: ['plans'],
        summary: 'What would change for this person now, and why; changes nothing',
        body: z.strictObject({ email: address }),
        response: { 200: preview },
      },
    },
    async ({ body: { email } }) => {
      assertAddress(email);
      const shown = await previewPlan(outside().surroundings, email);
      const notRead = shown.notRead.map((one) => ({ ...one, reason: scrub(one.reason) }));
      return { ...shown, notRead };
    },
  );

  app.get(
    '/plans/:id',
    {
      config: { access: 'viewer' },
      schema: { tags: ['plans'], summary: 'One plan with its actions', params: byId, response: { 200: plan } },
    },
    async ({ params: { id } }) => found('plan', id, await showPlan(db, id)),
  );

  answerRoute(app, context, { name: 'approve', answer: 'approved', summary: 'Let exactly the held changes go' });
  answerRoute(app, context, {
    name: 'reject',
    answer: 'rejected',
    summary: 'Leave the held changes undone until the facts change',
  });

  app.get(
    '/actions',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['plans'],
        summary: 'The effect ledger, newest first',
        querystring: listQuery.extend({
          state: z.enum(actionStates).optional(),
          account: z.string().max(200).optional(),
          personId: z.uuid().optional(),
        }),
        response: { 200: page(action) },
      },
    },
    ({ query: { limit, ...query } }) => listActions(db, { limit, ...given(query) }),
  );

  app.get(
    '/todos',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['plans'],
        summary: 'What no API can change and somebody has to do by hand, newest first',
        querystring: z.strictObject({ limit: z.coerce.number().int().min(1).max(500).default(50) }),
        response: {
          200: page(todo.extend({ planId: z.string(), person: knownPerson, since: at })),
        },
      },
    },
    async ({ query: { limit } }) => ({ items: await listTodos(db, limit), next: null }),
  );
}

function answerRoute(
  app: ApiServer,
  { db, policy, nudge }: ApiContext,
  { name, answer, summary }: { name: string; answer: 'approved' | 'rejected'; summary: string },
): void {
  app.post(
    `/plans/:id/${name}`,
    {
      config: { access: 'approver', fresh: true },
      schema: { tags: ['plans'], summary, params: byId, body: answerBody, response: { 200: plan } },
    },
    async (request) => {
      const { id } = request.params;
      const { setHash, reason = null } = request.body;
      await answerPlan(db, policy, { planId: id, setHash, answer, by: actorOf(request), reason });
      nudge();
      return found('plan', id, await showPlan(db, id));
    },
  );
}
