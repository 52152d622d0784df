import { z } from 'zod';
import { footprintsOf } from '#shared/operations/footprints.js';
import { assertAddress, cancelOffboarding, orderOffboarding, orderRestore } from '#shared/operations/orders.js';
import { listActions } from '#shared/store/actions.js';
import { listEvents } from '#shared/store/inbox.js';
import { listOrders } from '#shared/store/order-list.js';
import { listTodos } from '#shared/store/overview.js';
import { listPeople, showPerson } from '#shared/store/people-list.js';
import { listPlans } from '#shared/store/plans.js';
import { removedAccess } from '#shared/store/restore-records.js';
import { actorOf } from '../access.js';
import type { ApiContext, ApiServer } from './context.js';
import { action, plan } from './plans.js';
import {
  address,
  at,
  atOrNull,
  byId,
  found,
  knownPerson,
  moment,
  page,
  reason,
  searchConfig,
  timedListQuery,
  todo,
} from './schemas.js';

const person = z.object({
  id: z.string(),
  directory: z.string(),
  directoryId: z.string().nullable(),
  email: z.string().nullable(),
  emails: z.array(z.string()),
  firstName: z.string().nullable(),
  lastName: z.string().nullable(),
  seenAt: atOrNull,
  leavingSince: atOrNull,
  createdAt: at,
});

const order = z.object({
  id: z.string(),
  state: z.enum(['standing', 'cancelled']),
  email: z.string(),
  by: z.string(),
  proposed: z.boolean(),
  reason: z.string().nullable(),
  orderedAt: at,
  effectiveAt: at,
  cancelledBy: z.string().nullable(),
  cancelledAt: atOrNull,
});

const footprint = z.object({
  account: z.string(),
  subuser: z.string().nullable(),
  footprint: z.enum(['teammate', 'invitation']),
  target: z.string(),
  email: z.string(),
  admin: z.boolean(),
  readAt: at,
});

/** One step of the way from the provider's event to the proof. */
const step = z.object({
  at: at,
  kind: z.enum(['event', 'plan', 'action']),
  id: z.string(),
  state: z.string(),
  what: z.string(),
  account: z.string().nullable(),
});

const detail = person.extend({
  managerEmail: z.string().nullable(),
  groups: z.array(z.string()),
  links: z.array(z.object({ account: z.string(), username: z.string(), linkedAt: at })),
  footprints: z.array(footprint).describe('As the rosters were last read'),
  plans: z.array(plan).describe('The newest 50'),
  actions: z.array(action).describe('The newest 200'),
  timeline: z.array(step).describe('Events, plans and actions, newest first'),
  todos: z.array(todo.extend({ planId: z.string(), person: knownPerson, since: at })),
  orders: z.array(order),
  restorable: z
    .array(z.object({ account: z.string(), subuser: z.string().nullable(), email: z.string() }))
    .describe('Removed within 30 days and not given back'),
});

const ordered = z.object({
  eventId: z.string(),
  person: z.object({ email: z.string() }),
  state: z.literal('received'),
});

export function peopleRoutes(app: ApiServer, { db, policy }: ApiContext): void {
  app.get(
    '/people',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['people'],
        summary: 'Everybody whom an event, a roster or an order has named, newest first',
        querystring: timedListQuery.extend({ leaving: z.stringbool().optional().describe('Only who is leaving now') }),
        response: { 200: page(person) },
      },
    },
    ({ query }) => listPeople(db, query),
  );

  app.post(
    '/people/search',
    {
      config: searchConfig,
      schema: {
        tags: ['people'],
        summary: 'Search by the beginning of an address or name, newest first',
        body: timedListQuery.extend({
          search: z.string().trim().min(1).max(320).optional(),
          leaving: z.boolean().optional().describe('Only who is leaving now'),
        }),
        response: { 200: page(person) },
      },
    },
    ({ body }) => listPeople(db, body),
  );

  app.get(
    '/people/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['people'],
        summary: 'One human: directory state as last seen, footprints, plans, actions, orders, what is left to do',
        params: byId,
        response: { 200: detail },
      },
    },
    async ({ params: { id } }) => {
      const known = found('person', id, await showPerson(db, id));
      const [footprints, plans, actions, events, todos, orders, restorable] = await Promise.all([
        footprintsOf(db, policy, known.emails, known.links),
        listPlans(db, { limit: 50, personId: id }),
        listActions(db, { limit: 200, personId: id }),
        listEvents(db, { limit: 200, personId: id }),
        listTodos(db, 50, id),
        listOrders(db, { emails: known.emails }, 50),
        removedAccess(db, [id]),
      ]);
      const timeline = timelineOf(events.items, plans.items, actions.items);
      return { ...known, footprints, plans: plans.items, actions: actions.items, timeline, todos, orders, restorable };
    },
  );
}

type Step = z.infer<typeof step>;

function timelineOf(
  events: { id: string; receivedAt: string; state: string; type: string | null; source: string }[],
  plans: { id: string; createdAt: string; state: string; verdict: string }[],
  actions: {
    id: string;
    createdAt: string;
    finishedAt: string | null;
    state: string;
    kind: string;
    footprint: string;
    account: string;
  }[],
): Step[] {
  const steps: Step[] = [
    ...events.map(({ id, receivedAt, state, type, source }) => ({
      ...{ at: receivedAt, kind: 'event' as const, id, state, account: null },
      what: `${type ?? 'unknown'} from ${source}`,
    })),
    ...plans.map(({ id, createdAt, state, verdict }) => ({
      ...{ at: createdAt, kind: 'plan' as const, id, state, account: null },
      what: verdict,
    })),
    ...actions.map(({ id, createdAt, finishedAt, state, kind, footprint, account }) => ({
      ...{ at: finishedAt ?? createdAt, kind: 'action' as const, id, state, account },
      what: `${kind} ${footprint}`,
    })),
  ];
  return steps.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
}

export function orderRoutes(app: ApiServer, { db, nudge }: ApiContext): void {
  app.get(
    '/orders',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['orders'],
        summary: 'Operators’ orders that stand, newest first',
        querystring: z.strictObject({ limit: z.coerce.number().int().min(1).max(500).default(50) }),
        response: { 200: page(order) },
      },
    },
    async ({ query: { limit } }) => ({ items: await listOrders(db, 'standing', limit), next: null }),
  );

  app.post(
    '/orders/offboard',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['orders'],
        summary: 'Treat this person as terminated, whatever the directory says, until it is cancelled',
        body: z.strictObject({
          email: address,
          reason: reason.optional(),
          at: moment.optional().describe('Not before then; the order can be cancelled until it comes'),
        }),
        response: { 202: ordered },
      },
    },
    async (request, reply) => {
      const { email, reason = null, at = null } = request.body;
      assertAddress(email);
      const eventId = await orderOffboarding(db, { email, by: actorOf(request), reason, at });
      nudge();
      return reply.code(202).send({ eventId, person: { email }, state: 'received' });
    },
  );

  app.post(
    '/orders/cancel',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['orders'],
        summary: 'Take the order back: the directory decides again',
        body: z.strictObject({ email: address, reason: reason.optional() }),
        response: { 202: ordered },
      },
    },
    async (request, reply) => {
      const { email, reason = null } = request.body;
      const eventId = await cancelOffboarding(db, { email, by: actorOf(request), reason });
      nudge();
      return reply.code(202).send({ eventId, person: { email }, state: 'received' });
    },
  );

  app.post(
    '/orders/restore',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['orders'],
        summary: 'Give back what was removed within 30 days, if the directory says that they may have it',
        body: z.strictObject({ email: address }),
        response: {
          202: ordered.extend({
            records: z.array(z.object({ account: z.string(), subuser: z.string().nullable(), target: z.string() })),
          }),
        },
      },
    },
    async (request, reply) => {
      const { email } = request.body;
      const { eventId, records } = await orderRestore(db, { email, by: actorOf(request) });
      nudge();
      return reply.code(202).send({ eventId, person: { email }, state: 'received', records });
    },
  );
}
