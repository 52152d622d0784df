import { dropOldRecords } from '#shared/store/restore-records.js';
import type { WorkContext } from '../context.js';
import type { UpkeepTask } from './upkeep.js';

/** What a leaver could do is personal data: it is kept as long as it can be given back, and no longer. */
export function dropRestoreRecords({ db, log }: Pick<WorkContext, 'db' | 'log'>): UpkeepTask {
  return {
    name: 'drop-restore-records',
    everyMs: 3_600_000,
    async run() {
      const dropped = await dropOldRecords(db);
      if (dropped > 0) log.info({ dropped }, 'restore records came of age and were dropped');
    },
  };
}
