import { type End, TableError, type TableRecord } from './table-parts.js';

/** JSON is read whole, so there is less of it. */
const maxLength = 64 * 2 ** 20;

/** A list of objects, or one object in each line. The headings first: every key that some object has. */
export async function* jsonRecords(path: string, text: AsyncGenerator<string>, end: End): AsyncGenerator<TableRecord> {
  let whole = '';
  for await (const part of text) {
    whole += part;
    if (whole.length > maxLength) {
      throw new TableError(path, `is larger than ${maxLength / 2 ** 20} MiB`, 'give it as CSV, which may be larger');
    }
  }
  const trimmed = whole.trim();
  if (trimmed === '') return;
  const isList = trimmed.startsWith('[');
  // Its bracket closes a list.
  if (isList) end.isCertain = true;
  const objects = isList ? listOf(path, trimmed) : linesOf(path, whole);
  const headings = [...new Set(objects.flatMap(({ value }) => Object.keys(value)))];
  yield { number: 0, cells: headings, fault: null };
  for (const { number, value } of objects) {
    const cells = headings.map((heading) => cellOf(Object.hasOwn(value, heading) ? value[heading] : undefined));
    const odd = cells.indexOf(null);
    yield {
      number,
      cells: cells.map((cell) => cell ?? ''),
      fault:
        odd === -1 ? null : `has under ${JSON.stringify(headings[odd])} neither a text nor a list of texts (write one)`,
    };
  }
}

interface NumberedObject {
  number: number;
  value: Record<string, unknown>;
}

function listOf(path: string, text: string): NumberedObject[] {
  const list = parseJson(path, text, 'the file');
  if (!Array.isArray(list)) throw new TableError(path, 'is no list of objects', 'write [{…}, {…}]');
  return list.map((value: unknown, index) => ({ number: index + 1, value: objectOf(path, value, index + 1) }));
}

function linesOf(path: string, text: string): NumberedObject[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === '') return [];
    const number = index + 1;
    return [{ number, value: objectOf(path, parseJson(path, line, `line ${number}`), number) }];
  });
}

function objectOf(path: string, value: unknown, number: number): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TableError(
    path,
    `holds something else than an object in row ${number}`,
    'write one object for each person',
  );
}

/** @returns null for what is neither a value nor a list of values */
function cellOf(value: unknown): string | null {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) {
    const cells = value.map(cellOf);
    return cells.includes(null) ? null : cells.join('\n');
  }
  // Of a larger number JSON gives only the beginning.
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) return null;
  return typeof value === 'object' ? null : String(value).trim();
}

function parseJson(path: string, text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TableError(path, `cannot be read: ${what} is no whole JSON`, 'write the file anew', error);
  }
}
