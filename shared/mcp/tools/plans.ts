import { z } from 'zod';
import { found } from '#shared/operations/found.js';
import { listTodos } from '#shared/store/overview.js';
import { listPlans, showPlan } from '#shared/store/plans.js';
import { at, dataNote, knownPerson, next, paging, plan, planView } from '../schemas.js';
import { defineTool } from '../tool.js';

export const whatWaits = defineTool({
  name: 'what_waits_for_a_human',
  title: 'Held plans',
  description: `Lists plans that wait for a human to approve or reject them, newest first, with the exact changes and why they are held.
Use it for "what needs me?" and "what has to be approved?". No tool can answer a plan: an approver does, in the console or with \`sendoff plans approve <id>\`.
What somebody has to do by hand is in list_todos. ${dataNote}`,
  access: 'viewer',
  writes: false,
  input: z.strictObject(paging({ usual: 10, most: 25 })),
  output: z.object({ items: z.array(plan), next }),
  async answer({ db }, { limit, before }) {
    const page = await listPlans(db, { limit, before, state: 'held' });
    return { items: page.items.map(planView), next: page.next };
  },
  summary: ({ items, next }) => `${items.length} held plans${next === null ? '' : '; there are more'}.`,
});

export const showOnePlan = defineTool({
  name: 'show_plan',
  title: 'One plan',
  description: `Shows one plan with its changes, their states and errors, what was never touched, what could not be read and what is left to do by hand.
Use it when another tool named a plan’s id. It cannot approve, reject or change anything. ${dataNote}`,
  access: 'viewer',
  writes: false,
  input: z.strictObject({ planId: z.uuid() }),
  output: z.object({ plan }),
  async answer({ db }, { planId }) {
    return { plan: planView(found('plan', planId, await showPlan(db, planId))) };
  },
  summary: ({ plan: { state, changesTotal } }) => `The plan is ${state}; it has ${changesTotal} changes.`,
});

export const todos = defineTool({
  name: 'list_todos',
  title: 'To-dos',
  description: `Lists what no API can change and somebody has to do by hand, newest first: API keys to rotate, senders to verify, settings to change in SendGrid.
Use it for "what is left to do by hand?". It cannot mark anything as done. ${dataNote}`,
  access: 'viewer',
  writes: false,
  input: z.strictObject({ limit: z.int().min(1).max(100).default(50) }),
  output: z.object({
    items: z.array(
      z.object({ planId: z.string(), person: knownPerson, account: z.string(), text: z.string(), since: at }),
    ),
  }),
  async answer({ db }, { limit }) {
    return { items: (await listTodos(db, limit)).slice(0, limit) };
  },
  summary: ({ items }) => `${items.length} to-dos.`,
});
