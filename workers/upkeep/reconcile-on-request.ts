import { messageOf } from '#shared/errors.js';
import { reconcile } from '#shared/planning/reconcile.js';
import { reconcileDocument } from '#shared/planning/reconcile-document.js';
import { databaseNow } from '#shared/store/database.js';
import { finishRequest, openRequest, takeRequest } from '#shared/store/reconcile-requests.js';
import { beginRun, finishRun } from '#shared/store/reconcile-runs.js';
import type { WorkContext } from '../context.js';
import type { UpkeepTask } from './upkeep.js';

/** Makes the comparisons that were asked for, one after the other. */
export function reconcileOnRequest(context: WorkContext): UpkeepTask {
  const { db, surroundings, log } = context;
  return {
    name: 'reconcile-on-request',
    everyMs: 2_000,
    async run() {
      const wanted = await openRequest(db);
      if (wanted === null) return;
      const runId = await beginRun(db, wanted.mode, wanted.by);
      // Another comparison is under way: this one's turn comes after it.
      if (runId === null) return;
      const request = await takeRequest(db, runId);
      if (request === null) return finishRun(db, runId, null, null);
      try {
        const outcomes = await reconcile(surroundings, {
          runId,
          mode: request.mode,
          by: request.by,
          now: new Date(await databaseNow(db)),
          acceptShrink: request.acceptShrink,
          ...(request.account === null ? {} : { account: request.account }),
        });
        await finishRequest(db, request.id, {
          found: outcomes.map(reconcileDocument).map((one) => ({ ...one, problems: one.problems.map(context.scrub) })),
        });
      } catch (error) {
        await finishRequest(db, request.id, { problem: context.scrub(messageOf(error)) });
        log.warn({ error: context.scrub(messageOf(error)) }, 'a comparison that was asked for broke off');
      }
      context.nudge();
    },
  };
}
