import { z } from 'zod';
import type { PlanState } from '#shared/lifecycle/types.js';
import { answerPlan } from '#shared/planning/answer-plan.js';
import { previewPlan } from '#shared/planning/preview-plan.js';
import type { ListPage, ListQuery } from '#shared/store/lists.js';
import { listPlans, showPlan } from '#shared/store/plans.js';
import type { DatabaseSession } from '../database.js';
import { found } from '../ids.js';
import { type Server, slowMs } from '../server/client.js';
import { page, person } from '../server/documents.js';

const facts = z.object({
  state: z.string(),
  person,
  reasons: z.array(z.string()),
  actions: z.array(
    z.object({
      state: z.string(),
      kind: z.string(),
      footprint: z.string(),
      account: z.string(),
      subuser: z.string().nullable(),
      target: z.string(),
      label: z.string().nullable(),
      to: z.string().nullable(),
      lastError: z.string().nullable(),
    }),
  ),
  refused: z.array(z.object({ account: z.string(), target: z.string().nullable(), detail: z.string() })),
  notRead: z.array(z.object({ account: z.string(), part: z.string().nullable(), reason: z.string() })),
  todos: z.array(z.object({ account: z.string(), text: z.string() })),
  hold: z.object({ reasons: z.array(z.string()), setHash: z.string().nullable() }).nullable(),
});
export const plan = facts.extend({ id: z.string(), createdAt: z.string() });
const preview = facts.extend({ id: z.null() });

export type Plan = z.infer<typeof plan>;

export interface PlanAnswer {
  id: string;
  answer: 'approved' | 'rejected';
  /** Of the held changes that were shown. */
  setHash: string;
  reason: string | null;
}

/** What was decided for whom, and what would be. */
export interface Plans {
  list(query: ListQuery & { state?: PlanState }): Promise<ListPage<Plan>>;
  /** @throws SendoffError NOT_FOUND */
  show(id: string): Promise<Plan>;
  /** @throws SendoffError as `answerPlan` does */
  answer(answer: PlanAnswer): Promise<Plan>;
  /** Thought through, and stored nowhere. */
  preview(email: string): Promise<z.infer<typeof preview>>;
}

export function inDatabase({ db, by, policy, outside }: DatabaseSession): Plans {
  const show = async (id: string) => found('plan', id, await showPlan(db, id));
  return {
    list: (query) => listPlans(db, query),
    show,
    async answer({ id, ...answer }) {
      await answerPlan(db, policy(), { ...answer, planId: id, by: by() });
      return show(id);
    },
    preview: async (email) => previewPlan((await outside()).surroundings, email),
  };
}

const words = { approved: 'approve', rejected: 'reject' };

export function atServer(server: Server): Plans {
  return {
    list: (query) => server.get('/plans', page(plan), { ...query }),
    show: (id) => server.get(`/plans/${id}`, plan),
    answer: ({ id, answer, setHash, reason }) =>
      server.post(`/plans/${id}/${words[answer]}`, plan, { setHash, reason: reason ?? undefined }),
    preview: (email) => server.post('/plans/preview', preview, { email }, slowMs),
  };
}
