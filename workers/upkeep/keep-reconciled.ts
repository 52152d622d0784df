import { messageOf } from '#shared/errors.js';
import { reconcile } from '#shared/planning/reconcile.js';
import { databaseNow } from '#shared/store/database.js';
import { beginRun, sinceLastRun } from '#shared/store/reconcile-runs.js';
import type { WorkContext } from '../context.js';
import type { UpkeepTask } from './upkeep.js';

/** How often access itself is compared, and not only who is there. */
const deepEveryMs = 24 * 3_600_000;

/** After one that broke off, the next is not tried sooner. */
const retryMs = 60_000;

/** Compares all rosters with the directory when the last comparison is older than `reconcile.every`. */
export function keepReconciled(context: WorkContext): UpkeepTask {
  const { db, policy, surroundings, clock, log } = context;
  let brokeAt = Number.NEGATIVE_INFINITY;
  return {
    name: 'reconcile',
    everyMs: Math.min(5_000, policy.reconcile.everyMs),
    async run() {
      if (clock.now().getTime() - brokeAt < retryMs) return;
      const since = await sinceLastRun(db);
      if (since !== null && since < policy.reconcile.everyMs) return;
      const sinceDeep = await sinceLastRun(db, 'deep');
      // The first look is at who is there; a deep one follows at the next turn.
      const isDue = since !== null && (sinceDeep === null || sinceDeep >= deepEveryMs);
      const mode = isDue ? ('deep' as const) : ('cheap' as const);
      const runId = await beginRun(db, mode, 'worker');
      if (runId === null) return;
      try {
        const outcomes = await reconcile(surroundings, {
          runId,
          mode,
          by: 'worker',
          now: new Date(await databaseNow(db)),
        });
        const drift = outcomes.flatMap((one) => one.drift);
        const unannounced = drift.filter((one) => one.kind === 'leaver' && !one.announced).length;
        log.info({ accounts: outcomes.length, drift: drift.length, mode }, 'rosters were compared with the directory');
        for (const { account, problems } of outcomes) {
          if (problems.length > 0)
            log.warn({ account, problems: problems.map(context.scrub) }, 'not all could be compared');
        }
        if (unannounced > 0) {
          log.warn(
            { leavers: unannounced },
            'leavers were found that no event had announced: check the hook (sendoff doctor); silence may be breakage',
          );
        }
      } catch (error) {
        brokeAt = clock.now().getTime();
        log.warn({ error: context.scrub(messageOf(error)) }, 'the comparison broke off; it is tried again');
      }
      context.nudge();
    },
  };
}
