import { z } from 'zod';
import { eventStates } from '#shared/lifecycle/types.js';
import { replayEvent } from '#shared/operations/replay.js';
import type { EventFilter } from '#shared/store/event-filter.js';
import { listEvents, showEvent } from '#shared/store/inbox.js';
import { actorOf } from '../access.js';
import type { ApiContext, ApiServer } from './context.js';
import { address, at, atOrNull, byId, found, listQuery, moment, page, personRef, searchConfig } from './schemas.js';

export const eventFilter = z.strictObject({
  state: z.enum(eventStates).optional(),
  source: z.string().max(100).optional(),
  eventId: z.string().max(500).optional().describe('The sender’s id'),
  type: z.string().max(200).optional(),
  personId: z.uuid().optional(),
  email: address.optional(),
  since: moment.optional(),
  until: moment.optional(),
}) satisfies z.ZodType<EventFilter>;

const event = z.object({
  id: z.string(),
  state: z.enum(eventStates),
  source: z.string(),
  eventId: z.string(),
  type: z.string().nullable(),
  person: personRef.nullable(),
  receivedAt: at,
  occurredAt: atOrNull,
  reason: z.string().nullable(),
  attempts: z.number(),
  lastError: z.string().nullable(),
});

export function eventRoutes(app: ApiServer, { db, nudge }: ApiContext): void {
  app.get(
    '/events',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['events'],
        summary: 'What identity providers sent, newest first',
        querystring: listQuery.extend(eventFilter.omit({ email: true, eventId: true }).shape),
        response: { 200: page(event) },
      },
    },
    ({ query }) => listEvents(db, query),
  );

  app.post(
    '/events/search',
    {
      config: searchConfig,
      schema: {
        tags: ['events'],
        summary: 'The same by address or by the sender’s id',
        body: listQuery.extend(eventFilter.shape),
        response: { 200: page(event) },
      },
    },
    ({ body }) => listEvents(db, body),
  );

  app.get(
    '/events/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['events'],
        summary: 'One event, as it was sent, with the plans it led to',
        params: byId,
        response: {
          200: event.extend({
            directoryId: z.string().nullable().describe('What the source calls the person'),
            raw: z.string(),
            plans: z.array(z.string()),
          }),
        },
      },
    },
    async ({ params: { id } }) => found('event', id, await showEvent(db, id)),
  );

  app.post(
    '/events/:id/replay',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['events'],
        summary: 'Plan the person of this event anew, from the directory as it is now',
        params: byId,
        response: { 202: z.object({ id: z.string(), state: z.literal('received') }) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      found('event that names a person', id, (await replayEvent(db, id, actorOf(request))) || null);
      nudge();
      return reply.code(202).send({ id, state: 'received' });
    },
  );
}
