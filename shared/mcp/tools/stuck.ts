import { z } from 'zod';
import { alertKinds } from '#shared/alerts/alert.js';
import { conditionsOf } from '#shared/alerts/conditions.js';
import { readAlertFacts } from '#shared/store/alerts.js';
import { listEvents } from '#shared/store/inbox.js';
import { readOverview } from '#shared/store/overview.js';
import { isWorkerAlive } from '#shared/store/processes.js';
import { everywhere, listStops } from '#shared/store/stops.js';
import { at, dataNote, next, paging, personRef } from '../schemas.js';
import { defineTool, type McpContext } from '../tool.js';

const waitingShown = 20;

export const whatIsStuck = defineTool({
  name: 'what_is_stuck',
  title: 'What is stuck and why',
  description: `Tells what does not go on by itself, why, and what a human can do about it: held plans (hold), leavers who are late (sla-at-risk, sla-breached), failed changes (failed), accounts whose key SendGrid refuses (breaker), identity providers that are silent or can’t be asked (source, subscription); stops that are in force; events that wait for something outside; whether any worker is running.
Use it for "what is stuck, and why?" and "is everything all right?". For one person use explain_person. It cannot retry, resume or change anything. ${dataNote}`,
  access: 'viewer',
  writes: false,
  input: z.strictObject({
    kind: z.enum(alertKinds).exclude(['weekly']).optional().describe('Only problems of this kind'),
    ...paging({ usual: 25, most: 100 }),
  }),
  output: z.object({
    workerRunning: z.boolean().describe('false: nothing at all is done until `sendoff up` or `sendoff worker` runs'),
    stops: z
      .array(z.object({ account: z.string().nullable(), by: z.string(), reason: z.string().nullable(), since: at }))
      .describe('An operator let nothing be changed; account null: anywhere'),
    counts: z.record(z.string(), z.number()).describe('How many problems there are of each kind'),
    problems: z.array(z.object({ kind: z.enum(alertKinds), what: z.string(), remedy: z.string() })),
    next,
    waiting: z
      .array(
        z.object({
          eventId: z.string(),
          person: personRef.nullable(),
          source: z.string(),
          type: z.string().nullable(),
          receivedAt: at,
          why: z.string().nullable(),
        }),
      )
      .describe(`Events that wait for something outside; the newest ${waitingShown}`),
    oldestUnfinishedSeconds: z.number().nullable(),
  }),
  async answer(context, { kind, limit, before = '0' }) {
    const { db } = context;
    const [problems, stops, waiting, overview, workerRunning] = await Promise.all([
      problemsOf(context),
      listStops(db),
      listEvents(db, { state: 'waiting', limit: waitingShown }),
      readOverview(db),
      isWorkerAlive(db),
    ]);
    const from = Number(before);
    const asked = problems.filter((one) => kind === undefined || one.kind === kind);
    return {
      workerRunning,
      stops: stops.map(({ scope, by, reason, at: since }) => ({
        account: scope === everywhere ? null : scope,
        ...{ by, reason, since: since.toISOString() },
      })),
      counts: countsOf(problems),
      problems: asked.slice(from, from + limit).map((one) => ({ kind: one.kind, what: one.title, remedy: one.remedy })),
      next: from + limit < asked.length ? String(from + limit) : null,
      waiting: waiting.items.map(({ id, person, source, type, receivedAt, reason, lastError }) => ({
        eventId: id,
        ...{ person, source, type, receivedAt, why: reason ?? lastError },
      })),
      oldestUnfinishedSeconds: overview.oldestUnfinishedSeconds,
    };
  },
  summary({ counts, stops, workerRunning }) {
    const total = Object.values(counts).reduce((sum, one) => sum + one, 0);
    return `${total} problems, ${stops.length} stops in force, ${workerRunning ? 'a worker is running' : 'no worker is running'}.`;
  },
});

/** As they are now, and not as they were last told of. */
async function problemsOf({ db, config }: McpContext) {
  const facts = await readAlertFacts(db, {
    sources: Object.keys(config.sources),
    accounts: Object.keys(config.accounts),
  });
  return conditionsOf(facts, { slaMs: config.sla.deprovision });
}

function countsOf(problems: readonly { kind: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of problems) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
