import { z } from 'zod';
import { deprovisionTimes, readOverview } from '#shared/store/overview.js';
import { isWorkerAlive } from '#shared/store/processes.js';
import { listRuns } from '#shared/store/reconcile-requests.js';
import { account, readAccounts } from './accounts.js';
import type { ApiContext, ApiServer } from './context.js';
import { at, atOrNull } from './schemas.js';
import { shareReading } from './share-reading.js';
import { readSources, source } from './sources.js';

/** It looks through a month: everybody who has the page open is told the same. */
const timesFreshMs = 15_000;

const counts = z.record(z.string(), z.number());
const times = z.object({
  count: z.number(),
  p50Seconds: z.number().nullable(),
  p95Seconds: z.number().nullable(),
  withinSla: z.number(),
});

const overview = z.object({
  at,
  events: counts,
  plans: counts,
  actions: counts,
  oldestUnfinishedSeconds: z.number().nullable(),
  leaving: z.number(),
  todos: z.number(),
  audit: z.object({ unsequenced: z.number() }),
  workerAlive: z.boolean(),
  drift: z.object({ at: atOrNull, differ: z.number(), unannounced: z.number() }).nullable(),
  sla: z.object({ seconds: z.number() }),
  timeToDeprovision: times.extend({ days: z.array(times.extend({ day: z.string() })) }),
  accounts: z.array(account),
  sources: z.array(source),
});

export function overviewRoutes(app: ApiServer, context: ApiContext): void {
  const { db, config } = context;
  const slow = remembered(() => deprovisionTimes(db, 30, config.sla.deprovision), timesFreshMs);
  const read = shareReading(() => readAll(context, slow));
  app.get(
    '/overview',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['overview'],
        summary: 'How it stands: counts, ages, breakers, stops, sources, time to deprovision of the last 30 days',
        response: { 200: overview },
      },
    },
    () => read(),
  );
}

async function readAll(
  context: ApiContext,
  slow: () => ReturnType<typeof deprovisionTimes>,
): Promise<z.infer<typeof overview>> {
  const { db, config } = context;
  const [open, timeToDeprovision, accounts, sources, runs, workerAlive] = await Promise.all([
    readOverview(db),
    slow(),
    readAccounts(context),
    readSources(context),
    listRuns(db, { limit: 10 }),
    isWorkerAlive(db),
  ]);
  const run = runs.items.find(({ summary }) => summary !== null);
  return {
    at: new Date().toISOString(),
    ...open,
    workerAlive,
    drift:
      run === undefined || run.summary === null
        ? null
        : {
            at: run.finishedAt,
            differ: run.summary.accounts.reduce((sum, { drift }) => sum + drift, 0),
            unannounced: run.summary.unannounced,
          },
    sla: { seconds: config.sla.deprovision / 1_000 },
    timeToDeprovision,
    accounts,
    sources,
  };
}

function remembered<T>(ask: () => Promise<T>, forMs: number): () => Promise<T> {
  let last: { answer: Promise<T>; at: number } | null = null;
  return () => {
    if (last === null || performance.now() - last.at > forMs) {
      const answer = ask();
      last = { answer, at: performance.now() };
      answer.catch(() => {
        last = null;
      });
    }
    return last.answer;
  };
}
