import { type Import, openImport } from '#producers/import.js';
import { isWorkerAlive } from '#shared/store/processes.js';
import type { DatabaseSession } from '../database.js';
import { onlyBesideIt } from '../server/failures.js';

export type { Import, ImportPreview, ImportResult } from '#producers/import.js';

/** Files of people who left. */
export interface Imports {
  /** @param source as which it is read; undefined: the only one that takes files */
  open(file: string, source: string | undefined): Import;
  isWorkerAlive(): Promise<boolean>;
}

export function inDatabase({ db, config }: DatabaseSession): Imports {
  return {
    open: (file, source) => openImport(config(), db, file, source),
    isWorkerAlive: () => isWorkerAlive(db),
  };
}

export function atServer(): Imports {
  throw onlyBesideIt('events import', 'how a file is read stands in sendoff.yaml, and it is too long for one request');
}
