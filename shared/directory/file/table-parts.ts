import { SendoffError } from '#shared/errors.js';

/** The file as a whole can't be read, and nothing is concluded from what was. */
export class TableError extends SendoffError {
  constructor(path: string, what: string, remedy: string, cause?: unknown) {
    super(`${path} ${what}`, { code: 'FILE_UNREADABLE', blame: 'input', remedy, cause });
  }
}

/** It changed while it was being read. */
export class TableChanged extends TableError {}

/** What the reader of a format yields: the headings first, then the cells below them. */
export interface TableRecord {
  number: number;
  cells: readonly string[];
  fault: string | null;
}

/** Does the text show that nothing is missing behind its last row? */
export interface End {
  isCertain: boolean;
}
