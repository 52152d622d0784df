import { appendAudit } from '#shared/audit/append.js';
import { messageOf } from '#shared/errors.js';
import type { Db } from '#shared/store/database.js';
import { everywhere, placeStop } from '#shared/store/stops.js';
import { fellBehind, progressOf, type Witness } from '#shared/store/witness.js';
import type { Log } from '#shared/telemetry/log.js';
import type { UpkeepTask } from './upkeep.js';

/**
 * Before anything is done: does the database know less than was seen of it? Then it was restored, orders and answers
 * given since are missing from it, and effects stand still until an operator has looked.
 */
export async function stopIfRestored(db: Db, witness: Witness, log: Log): Promise<void> {
  const seen = await witness.read().catch(() => null);
  const now = await progressOf(db);
  const why = fellBehind(now, seen);
  if (why !== null) {
    await db.transaction().execute(async (tx) => {
      await placeStop(tx, everywhere, 'sendoff', why);
      await appendAudit(tx, { kind: 'effects.stopped', actor: 'worker', detail: { reason: why } });
    });
    log.error(
      {},
      `${why}; nothing is changed in SendGrid until you have looked: sendoff plans list, then sendoff resume`,
    );
  }
  await witness.write(now).catch((error: unknown) => noWitness(log, error));
}

/** Shows the witness how far the database has come. */
export function keepWitness(db: Db, witness: Witness, log: Log): UpkeepTask {
  return {
    name: 'keep-witness',
    everyMs: 10_000,
    async run() {
      const seen = await witness.read().catch(() => null);
      const now = await progressOf(db);
      // Another worker may have seen more; a restored database is the next start's to find.
      if (seen !== null && seen.installation === now.installation && seen.position >= now.position) return;
      await witness.write(now).catch((error: unknown) => noWitness(log, error));
    },
  };
}

function noWitness(log: Log, error: unknown): void {
  log.debug({ error: messageOf(error) }, 'nothing outside the database remembers how far it has come');
}
