import { ConfigError } from '#shared/config/load.js';
import { messageOf, SendoffError } from '#shared/errors.js';
import { coloured, cut, type Look, lookOf, padded, widthOf } from './terminal.js';

/** design.md, "Fixed: command line". */
export const exitCodes = { done: 0, failed: 1, usage: 2, held: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Codes of failures that are the operator's to mend before anything can run. */
const usageCodes = new Set([
  'DATA_FOLDER_OWNED',
  'QUEUE_EVICTS',
  'SIGNING_KEY_MISSING',
  'SIGNING_KEY_INVALID',
  'DATABASE_URL_MISSING',
]);

/** Codes of what a guard refused. */
const heldCodes = new Set(['NOT_AN_APPROVER', 'SAME_PERSON', 'PLAN_CHANGED', 'PLAN_EXPIRED']);

/** Codes of what is no mistake of whoever asked, though a server answers them as one. */
const failedCodes = new Set(['PLAN_NOT_HELD']);

/** Says on stderr what happened and what to do next. @returns the exit code */
export function reportFailure(error: unknown): ExitCode {
  if (error instanceof ConfigError) {
    for (const line of error.lines) process.stderr.write(`${line}\n`);
    return exitCodes.usage;
  }
  process.stderr.write(`sendoff: ${messageOf(error)}\n`);
  if (error instanceof SendoffError) {
    if (error.remedy !== undefined) process.stderr.write(`  → ${error.remedy}\n`);
    if (heldCodes.has(error.code)) return exitCodes.held;
    if (failedCodes.has(error.code)) return exitCodes.failed;
    if (error.blame === 'input' || usageCodes.has(error.code)) return exitCodes.usage;
  } else if (isUnreachable(error)) {
    process.stderr.write('  → start the database, or correct DATABASE_URL\n');
  }
  return exitCodes.failed;
}

/** Everything else that commands connect to has errors of its own. */
function isUnreachable(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|28P01|3D000)$/.test(code);
}

/** With `--json` the document and nothing else; otherwise the text for people. */
export function print(json: boolean, document: unknown, text: () => string): void {
  process.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : `${text()}\n`);
}

export interface Column<T> {
  title: string;
  value(item: T): string | null;
  /** Its word is coloured where there are colours. */
  isState?: boolean;
}

const gap = '  ';
/** A last column narrower than this would say nothing: it runs on instead. */
const narrowest = 12;

/** A table as wide as its contents. On a terminal the last column ends where the terminal does; elsewhere it runs on. */
export function table<T>(
  items: readonly T[],
  columns: Column<T>[],
  empty: string,
  look: Look = lookOf(process.stdout),
): string {
  if (items.length === 0) return empty;
  const rows = items.map((item) => columns.map((column) => printable(column.value(item) ?? '-')));
  const titles = columns.map((column) => column.title);
  const widths = titles.map((title, i) =>
    rows.reduce((most, row) => Math.max(most, widthOf(row[i] ?? '')), title.length),
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + gap.length, 0);
  const left = look.columns === null ? Number.POSITIVE_INFINITY : look.columns - before;
  const end = left < narrowest ? Number.POSITIVE_INFINITY : left;
  const cellOf = (cell: string, i: number): string => {
    const isLast = i === columns.length - 1;
    const text = isLast ? cut(cell, end) : padded(cell, widths[i] ?? 0);
    return columns[i]?.isState === true ? coloured(text, look) : text;
  };
  return [titles.map((title, i) => padded(title, widths[i] ?? 0)), ...rows.map((row) => row.map(cellOf))]
    .map((cells) => cells.join(gap).trimEnd())
    .join('\n');
}

/** Names come from outside: none of them may move the cursor or start a line of its own. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
