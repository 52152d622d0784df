import { z } from 'zod';
import { taskStates } from '#shared/store/source-tasks.js';
import { lastEventAt, storedSubscriptions } from '#shared/store/subscriptions.js';
import { manageSubscriptions, subscriptionsDocument } from '../../subscriptions.js';
import type { ApiContext, ApiServer } from './context.js';
import { at, atOrNull, page } from './schemas.js';

export const source = z.object({
  source: z.string(),
  type: z.string(),
  authority: z.boolean(),
  lastEventAt: atOrNull,
  tasks: z.array(
    z.object({
      task: z.string(),
      lastOkAt: atOrNull,
      lastError: z.string().nullable(),
      failures: z.number(),
    }),
  ),
  subscriptions: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      createdAt: at,
      expiresAt: atOrNull,
      problem: z.string().nullable(),
    }),
  ),
});

export function sourceRoutes(app: ApiServer, context: ApiContext): void {
  app.get(
    '/sources',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['sources'],
        summary: 'Identity providers: when each was heard of last, its tasks and its subscriptions',
        response: { 200: page(source) },
      },
    },
    async () => ({ items: await readSources(context), next: null }),
  );
  subscriptionRoute(app, context);
}

/** The providers themselves are asked: what is stored does not tell whether it is still there. */
const subscribed = z.object({
  source: z.string(),
  manageable: z.boolean().describe('false: made by hand at the provider'),
  lastEventAt: atOrNull,
  subscriptions: z.array(
    z.object({
      kind: z.string(),
      remoteId: z.string().nullable(),
      state: z.string(),
      expiresAt: atOrNull,
      detail: z.string(),
      remedy: z.string(),
    }),
  ),
  problem: z.string().nullable(),
});

function subscriptionRoute(app: ApiServer, { db, config, scrub }: ApiContext): void {
  app.get(
    '/subscriptions',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['sources'],
        summary: 'Hooks, channels and subscriptions, as the identity providers show them now',
        querystring: z.strictObject({ source: z.string().max(100).optional() }),
        response: { 200: page(subscribed) },
      },
    },
    async ({ query: { source } }) => {
      const items = (await manageSubscriptions(db, config, 'list', source)).map(subscriptionsDocument);
      const shown = items.map((one) => ({ ...one, problem: one.problem === null ? null : scrub(one.problem) }));
      return { items: shown, next: null };
    },
  );
}

export async function readSources({ db, config, scrub }: ApiContext): Promise<z.infer<typeof source>[]> {
  const tasks = await taskStates(db);
  return Promise.all(
    Object.entries(config.sources).map(async ([name, { type }]) => ({
      source: name,
      type,
      authority: config.authority.includes(name),
      lastEventAt: (await lastEventAt(db, name))?.toISOString() ?? null,
      tasks: tasks
        .filter((one) => one.source === name)
        .map(({ task, lastOkAt, lastError, failures }) => ({
          task,
          lastOkAt: lastOkAt?.toISOString() ?? null,
          lastError: lastError === null ? null : scrub(lastError),
          failures,
        })),
      subscriptions: (await storedSubscriptions(db, name)).map(({ id, kind, createdAt, expiresAt, problem }) => ({
        id,
        kind,
        createdAt: createdAt.toISOString(),
        expiresAt: expiresAt?.toISOString() ?? null,
        problem,
      })),
    })),
  );
}
