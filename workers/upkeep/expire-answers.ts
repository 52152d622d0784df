import { appendAudit } from '#shared/audit/append.js';
import { isProposed } from '#shared/lifecycle/gate.js';
import { reopenEvent } from '#shared/store/inbox.js';
import { lapseProposals } from '#shared/store/orders.js';
import { expireHolds } from '#shared/store/plans.js';
import type { WorkContext } from '../context.js';
import type { UpkeepTask } from './upkeep.js';

/** Held plans that nobody answered in time expire: what was shown then is no longer what would be done. */
export function expireAnswers({ db }: Pick<WorkContext, 'db'>): UpkeepTask {
  return {
    name: 'expire-answers',
    everyMs: 30_000,
    run: () =>
      db.transaction().execute(async (tx) => {
        const expired = await expireHolds(tx);
        const bySource = await lapseProposals(
          tx,
          expired.filter(isProposed).map(({ personId }) => personId),
        );
        // What came meanwhile was planned with the source's proposal, and is due without it.
        for (const { personId, eventId } of expired) {
          if (bySource.includes(personId)) await reopenEvent(tx, eventId, 'nobody answered in time');
        }
        await appendAudit(
          tx,
          expired.map(({ id, personId }) => ({
            kind: 'plan.expired' as const,
            person: { id: personId, email: null },
            cause: { source: 'upkeep', eventIds: [], plan: id },
            actor: 'worker',
          })),
        );
      }),
  };
}
