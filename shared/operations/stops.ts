import { appendAudit } from '#shared/audit/append.js';
import { SendoffError } from '#shared/errors.js';
import type { Db } from '#shared/store/database.js';
import { everywhere, liftStop, listStops, placeStop, type Stop } from '#shared/store/stops.js';

/** Nothing more is changed in SendGrid from now on. @returns every stop in force */
export async function stopEffects(
  db: Db,
  { scope, by, reason }: { scope: string; by: string; reason: string | null },
): Promise<Stop[]> {
  return db.transaction().execute(async (tx) => {
    if (await placeStop(tx, scope, by, reason)) {
      const account = scope === everywhere ? null : scope;
      const personal = reason === null ? {} : { personal: { reason } };
      await appendAudit(tx, { kind: 'effects.stopped', account, actor: by, ...personal });
    }
    return listStops(tx);
  });
}

/** What waited goes on. @returns every stop still in force @throws SendoffError NOT_STOPPED */
export async function resumeEffects(db: Db, { scope, by }: { scope: string; by: string }): Promise<Stop[]> {
  return db.transaction().execute(async (tx) => {
    if (!(await liftStop(tx, scope))) throw notStopped(scope, await listStops(tx));
    await appendAudit(tx, { kind: 'effects.resumed', account: scope === everywhere ? null : scope, actor: by });
    return listStops(tx);
  });
}

function notStopped(scope: string, stops: { scope: string }[]): SendoffError {
  const others = stops.map((stop) => (stop.scope === everywhere ? 'everywhere' : `--account ${stop.scope}`));
  return new SendoffError(
    scope === everywhere ? 'no stop of everything is in force' : `no stop of ${scope} is in force`,
    {
      code: 'NOT_STOPPED',
      blame: 'input',
      remedy: others.length === 0 ? 'nothing is stopped' : `in force: ${others.join(', ')}`,
    },
  );
}
