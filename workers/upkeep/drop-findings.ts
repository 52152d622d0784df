import { dropOldFindings } from '#shared/store/reconcile-requests.js';
import type { WorkContext } from '../context.js';
import type { UpkeepTask } from './upkeep.js';

/** What a comparison found names people: whoever asked for it has read it by then. */
export function dropFindings({ db }: Pick<WorkContext, 'db'>): UpkeepTask {
  return { name: 'drop-findings', everyMs: 3_600_000, run: () => dropOldFindings(db) };
}
