import { DirectoryUnavailable } from '#shared/directory/directory.js';
import { PermanentError, SendoffError } from '#shared/errors.js';
import { identify } from '#shared/planning/identify.js';
import { planPersonFor } from '#shared/planning/plan-person.js';
import {
  attachPerson,
  buryEvent,
  dropEvent,
  type InboxEvent,
  inboxEvent,
  markWaiting,
  reconcileSource,
} from '#shared/store/inbox.js';
import { personById } from '#shared/store/people.js';
import { runGuardsOf } from '#shared/store/plans.js';
import type { WorkContext } from '../context.js';
import type { Handler } from '../process-job.js';

const unprovenForMs = 7 * 24 * 3_600_000;

/** An event becomes a plan. */
export const planPerson: Handler = {
  async run(context, eventId) {
    const { db, surroundings } = context;
    const event = await inboxEvent(db, eventId);
    if (event === null || event.personRef === null) return;
    // A dead event runs only when somebody retries its job by hand.
    if (event.state === 'done' || event.state === 'ignored' || event.state === 'quarantined') return;
    try {
      if (event.source === reconcileSource) await planFinding(context, event);
      else {
        const known = await identify(surroundings, event.personRef, event.source);
        await attachPerson(db, event.id, known.person.id);
        await planPersonFor(surroundings, event, known);
      }
      context.nudge();
    } catch (error) {
      if (error instanceof SendoffError && error.code === 'PERSON_UNHEARD') {
        return dropEvent(db, eventId, error.message);
      }
      if (!(error instanceof DirectoryUnavailable)) throw error;
      await markWaiting(db, eventId, context.scrub(error.message));
      throw error.code === 'DIRECTORY_UNPROVEN' ? askedLater(error, event, context.clock.now()) : error;
    }
  },
  giveUp: ({ db }, eventId, reason) => buryEvent(db, eventId, reason),
};

/** An id that the directory never showed: it may only be late, so it is asked for again, ever more seldom, for a week. */
function askedLater(error: DirectoryUnavailable, { receivedAt }: InboxEvent, now: Date): SendoffError {
  const ageMs = now.getTime() - receivedAt.getTime();
  const { code, blame } = error;
  if (ageMs > unprovenForMs) return new PermanentError(error.message, { code, blame });
  return new DirectoryUnavailable(error.message, Math.min(Math.max(60_000, ageMs / 4), 6 * 3_600_000), { code, blame });
}

/**
 * What a comparison found is planned by the comparison itself, which knows whether the whole run must wait for a human;
 * planned anew, it keeps those reasons.
 */
async function planFinding({ db, surroundings }: WorkContext, event: InboxEvent): Promise<void> {
  const run = await runGuardsOf(db, event.id);
  if (run === null || event.personId === null)
    return dropEvent(db, event.id, 'the comparison that found it ended; the next one finds it again');
  const known = { person: await personById(db, event.personId), ambiguousAddress: null, named: false };
  await planPersonFor(surroundings, event, known, { run });
}
