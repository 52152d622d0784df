import { appendAudit } from '#shared/audit/append.js';
import { feedReplay, hasOpenReplay } from '#shared/store/feed-replay.js';
import type { WorkContext } from '../context.js';
import type { UpkeepTask } from './upkeep.js';

/** While none is under way, somebody may ask for one: it is looked for so often. */
const idleMs = 2_000;

/** Plans the people of many events anew, a few at a time, behind whatever is new. */
export function feedReplays({ db, log, nudge }: Pick<WorkContext, 'db' | 'log' | 'nudge'>): UpkeepTask {
  let lookAgainAt = 0;
  return {
    name: 'feed-replays',
    everyMs: 250,
    async run() {
      if (performance.now() < lookAgainAt) return;
      if (!(await hasOpenReplay(db))) {
        lookAgainAt = performance.now() + idleMs;
        return;
      }
      const turn = await db.transaction().execute(async (tx) => {
        const fed = await feedReplay(tx);
        if (fed?.finished != null) {
          await appendAudit(tx, {
            kind: 'replay.finished',
            actor: 'worker',
            detail: { replay: fed.id, ...fed.finished },
          });
        }
        return fed;
      });
      if (turn === null) return;
      if (turn.fed > 0) nudge();
      if (turn.finished !== null) log.info({ replay: turn.id, by: turn.by, ...turn.finished }, 'a replay is through');
    },
  };
}
