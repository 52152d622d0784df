import { z } from 'zod';
import { taskStates } from '#shared/store/source-tasks.js';
import { lastEventAt, storedSubscriptions } from '#shared/store/subscriptions.js';
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
