import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, type Info, parse } from 'csv-parse';
import { TableError, type TableRecord } from './table-parts.js';

const maxRowBytes = 64 * 1024;
const delimiters = [',', ';', '\t'] as const;

/** The headings first, then row by row. Empty lines count, and are nobody's. */
export async function* csvRecords(path: string, text: AsyncGenerator<string>): AsyncGenerator<TableRecord> {
  const { beginning, rest } = await untilFirstLine(text);
  if (beginning.trim() === '') return;
  const parser = parse({
    delimiter: delimiterOf(beginning),
    record_delimiter: ['\r\n', '\n', '\r'],
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    max_record_size: maxRowBytes,
  });
  // It ends with the error that the loop below throws too.
  pipeline(Readable.from(rest), parser).catch(() => undefined);
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      yield { number: info.records + info.empty_lines, cells: record, fault: null };
    }
  } catch (error) {
    throw error instanceof CsvError ? unreadable(path, error) : error;
  }
}

/** Enough of the text to see its first row, and all of it. */
async function untilFirstLine(
  text: AsyncGenerator<string>,
): Promise<{ beginning: string; rest: AsyncGenerator<string> }> {
  let beginning = '';
  while (!/\S[^\n\r]*[\n\r]/.test(beginning) && beginning.length < maxRowBytes) {
    const next = await text.next();
    if (next.done === true) break;
    beginning += next.value;
  }
  async function* all(): AsyncGenerator<string> {
    yield beginning;
    yield* text;
  }
  return { beginning, rest: all() };
}

/** The one that stands most often between the headings, outside of quotation marks. */
function delimiterOf(beginning: string): string {
  const line = (/\S[^\n\r]*/.exec(beginning)?.[0] ?? '').replace(/"[^"]*"/g, '');
  const count = (delimiter: string) => line.split(delimiter).length;
  return [...delimiters].sort((a, b) => count(b) - count(a))[0] ?? ',';
}

/** In our words: the parser's quote the cell, which may hold anything. */
function unreadable(path: string, error: CsvError): TableError {
  const { records = 0, empty_lines: empty = 0 } = error as { records?: number; empty_lines?: number };
  const row = `row ${records + empty + 1}`;
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return new TableError(
        path,
        `is cut off: a quotation mark in ${row} is never closed`,
        'close it, or write the file anew',
        error,
      );
    case 'CSV_MAX_RECORD_SIZE':
      return new TableError(
        path,
        `is no CSV: ${row} is longer than ${maxRowBytes / 1024} KiB`,
        'look for an open quotation mark',
        error,
      );
    default:
      return new TableError(
        path,
        `is no CSV: a quotation mark in ${row} stands where none may`,
        'double it: ""',
        error,
      );
  }
}
