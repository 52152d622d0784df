import { z } from 'zod';
import { beginReplay, endReplay } from '#shared/operations/replay.js';
import { failuresByCause } from '#shared/store/failures.js';
import { countReplayable, listReplays, type ReplayFilter, showReplay } from '#shared/store/replays.js';
import { actorOf } from '../access.js';
import type { ApiContext, ApiServer } from './context.js';
import { eventFilter } from './events.js';
import { at, atOrNull, byId, found, listQuery, page, personRef, searchConfig } from './schemas.js';
import { shareReading } from './share-reading.js';

const mostAtOnce = 100_000;

const search = z
  .string()
  .trim()
  .min(1)
  .max(320)
  .describe('Whole or the beginning of an address, or the id of a person, event, plan or action');

const filter = eventFilter.extend({
  cause: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional()
    .describe('Only events that failed by this cause: GET /api/v1/failures'),
  search: search.optional().describe('Narrows the cause as it narrowed /failures'),
}) satisfies z.ZodType<ReplayFilter>;

const replay = z.object({
  id: z.string(),
  state: z.enum(['waiting', 'running', 'done', 'aborted']),
  filter: z.record(z.string(), z.string()).describe('What was asked for; whom it was about stands in the audit trail'),
  by: z.string(),
  requestedAt: at,
  count: z.number(),
  started: z.number(),
  done: z.number(),
  abortedBy: z.string().nullable(),
  finishedAt: atOrNull,
});

const cause = z.object({
  id: z.string().describe('What a replay takes as `cause`'),
  state: z.literal('open'),
  kind: z.enum(['action', 'event']),
  place: z.string().describe('The account or the source'),
  text: z.string(),
  count: z.number(),
  replayable: z.number().describe('Those that name a person'),
  newestAt: at,
  examples: z
    .array(z.object({ id: z.string(), state: z.string(), what: z.string(), person: personRef.nullable(), at }))
    .describe('The newest ten'),
});

const causes = page(cause).extend({ total: z.number() });

export function replayRoutes(app: ApiServer, { db, scrub }: ApiContext): void {
  const readAll = shareReading(() => failuresByCause(db));
  const scrubbed = ({ items, total }: Awaited<ReturnType<typeof readAll>>) => ({
    items: items.map((one) => ({ ...one, text: scrub(one.text) })),
    next: null,
    total,
  });
  app.get(
    '/failures',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['events'],
        summary: 'What failed for good, by cause, the most frequent first: the newest 100,000 failures in 100 causes',
        querystring: z.strictObject({}),
        response: { 200: causes },
      },
    },
    async () => scrubbed(await readAll()),
  );

  app.post(
    '/failures/search',
    {
      config: searchConfig,
      schema: {
        tags: ['events'],
        summary: 'The same of one person, by the beginning of an address or an id',
        body: z.strictObject({ search }),
        response: { 200: causes },
      },
    },
    async ({ body }) => scrubbed(await failuresByCause(db, body.search)),
  );

  app.get(
    '/events/replays',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['events'],
        summary: 'Replays of many events, newest first',
        querystring: listQuery,
        response: { 200: page(replay) },
      },
    },
    ({ query }) => listReplays(db, query),
  );

  app.get(
    '/events/replays/:id',
    {
      config: { access: 'viewer' },
      schema: { tags: ['events'], summary: 'One replay and how far it is', params: byId, response: { 200: replay } },
    },
    async ({ params: { id } }) => found('replay', id, await showReplay(db, id)),
  );

  app.post(
    '/events/replays',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['events'],
        summary: 'Plan the people of all matching events anew, the newest first; whatever is new goes before them',
        body: z.strictObject({
          filter,
          limit: z.int().min(1).max(mostAtOnce).default(mostAtOnce),
          dryRun: z.boolean().default(false).describe('Only count'),
        }),
        response: {
          202: z.object({
            id: z.string().nullable().describe('null: only counted'),
            count: z.number(),
            dryRun: z.boolean(),
          }),
        },
      },
    },
    async (request, reply) => {
      const { filter, limit, dryRun } = request.body;
      const { id, count } = dryRun
        ? { id: null, count: await countReplayable(db, filter, limit) }
        : await beginReplay(db, { filter, limit, by: actorOf(request) });
      return reply.code(202).send({ id, count, dryRun });
    },
  );

  app.post(
    '/events/replays/:id/abort',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['events'],
        summary: 'Begin no more of them; what is under way goes on',
        params: byId,
        response: { 200: replay },
      },
    },
    async (request) => {
      const { id } = request.params;
      found('replay', id, await showReplay(db, id));
      await endReplay(db, id, actorOf(request));
      return found('replay', id, await showReplay(db, id));
    },
  );
}
