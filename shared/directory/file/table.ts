import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { TextDecoder } from 'node:util';
import { messageOf } from '#shared/errors.js';
import { type ColumnPlaces, placesOf, type WantedColumns } from './columns.js';
import { csvRecords } from './csv.js';
import { jsonRecords } from './json.js';
import { type End, TableChanged, TableError } from './table-parts.js';

/** One row, by our names for its columns. A list of a JSON file comes with a line break between its values. */
export interface TableRow<Key extends string> {
  /** As a spreadsheet counts: the headings are row 1. In a JSON list the first object is row 1. */
  number: number;
  cells: Partial<Record<Key, string>>;
  /** What is wrong with the row as a whole; null: nothing. */
  fault: string | null;
}

export interface TableFile<Key extends string> {
  path: string;
  /** Absent: as the file's name tells, else CSV. */
  format: 'csv' | 'json' | undefined;
  columns: WantedColumns<Key>;
  maxBytes: number;
  /** Must the last row be ended? Without its line break nobody can tell whether rows are missing behind it. */
  ended: boolean;
}

export interface Table<Key extends string> {
  /** Heading of each column that is there, as the file writes it. Known from the first row on. */
  headings(): Partial<Record<Key, string>>;
  rows(): AsyncGenerator<TableRow<Key>>;
  /** SHA-256 of what was read; known behind the last row. */
  digest(): string;
}

/** What tells that a file is another one, or was written meanwhile. */
export interface FileState {
  mtimeNs: bigint;
  size: bigint;
  ino: bigint;
}

/** @throws TableError when there is no file */
export async function fileState(path: string): Promise<FileState> {
  const state = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw missing(path, error);
  });
  if (!state.isFile()) throw new TableError(path, 'is no file', 'name a CSV or JSON file');
  return state;
}

export function sameFile(a: FileState, b: FileState): boolean {
  return a.mtimeNs === b.mtimeNs && a.size === b.size && a.ino === b.ino;
}

/** SHA-256 of the file as it is now. @throws TableError when there is none */
export async function fileDigest(path: string): Promise<string> {
  await fileState(path);
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (error) {
    throw missing(path, error);
  }
  return hash.digest('hex');
}

/** A CSV or JSON file, row by row. */
export function openTable<Key extends string>(file: TableFile<Key>): Table<Key> {
  const { path, columns } = file;
  const hash = createHash('sha256');
  let headings: Partial<Record<Key, string>> = {};
  let digest: string | null = null;

  async function* rows(): AsyncGenerator<TableRow<Key>> {
    const before = await fileState(path);
    const end: End = { isCertain: true };
    const text = textOf(file, hash, end);
    const isJson = (file.format ?? formatOf(path)) === 'json';
    const records = isJson ? jsonRecords(path, text, end) : csvRecords(path, text);
    const first = await records.next();
    if (first.done === true)
      throw new TableError(path, 'is empty', 'write the headings into its first row at the least');
    const places = placesOf(path, first.value.cells, columns);
    headings = headingsOf(places);
    const width = first.value.cells.length;
    for await (const { number, cells, fault } of records) {
      yield { number, cells: cellsAt(places, cells), fault: fault ?? widthFault(cells, width) };
    }
    if (!sameFile(before, await fileState(path))) {
      throw new TableChanged(path, 'changed while it was being read', 'write it under another name and rename it then');
    }
    if (file.ended && !end.isCertain) {
      throw new TableError(
        path,
        'does not end with a line break, so rows may be missing behind its last one',
        'have a line break written behind the last row too',
      );
    }
    digest = hash.digest('hex');
  }

  return {
    headings: () => headings,
    rows,
    digest() {
      if (digest === null) throw new Error('a table is read to its end before it has a digest');
      return digest;
    },
  };
}

export function formatOf(path: string): 'csv' | 'json' {
  return ['.json', '.jsonl', '.ndjson'].includes(extname(path).toLowerCase()) ? 'json' : 'csv';
}

function headingsOf<Key extends string>(places: ColumnPlaces<Key>): Partial<Record<Key, string>> {
  const headings: Partial<Record<Key, string>> = {};
  for (const key of Object.keys(places) as Key[]) {
    const place = places[key];
    if (place !== undefined) headings[key] = place.heading;
  }
  return headings;
}

function cellsAt<Key extends string>(
  places: ColumnPlaces<Key>,
  cells: readonly string[],
): Partial<Record<Key, string>> {
  const named: Partial<Record<Key, string>> = {};
  for (const key of Object.keys(places) as Key[]) {
    const place = places[key];
    if (place !== undefined) named[key] = cells[place.index] ?? '';
  }
  return named;
}

/** Empty cells behind the last heading are what some programs write; a cell too few is a row cut off. */
function widthFault(cells: readonly string[], width: number): string | null {
  if (cells.length === width || (cells.length > width && cells.slice(width).every((cell) => cell === ''))) return null;
  return `has ${cells.length} cells, and there are ${width} headings`;
}

/** The bytes as text, hashed on the way, without the mark that some programs begin a file with. */
async function* textOf(
  { path, maxBytes }: Pick<TableFile<string>, 'path' | 'maxBytes'>,
  hash: { update(chunk: Buffer): unknown },
  end: End,
): AsyncGenerator<string> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw missing(path, error);
  }
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    let length = 0;
    for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) {
        throw new TableError(path, `is larger than ${Math.floor(maxBytes / 2 ** 20)} MiB`, 'give it in parts');
      }
      hash.update(chunk);
      end.isCertain = chunk[chunk.length - 1] === 0x0a || chunk[chunk.length - 1] === 0x0d;
      yield decode(path, decoder, chunk);
    }
    yield decode(path, decoder, null);
  } finally {
    await handle.close();
  }
}

function decode(path: string, decoder: TextDecoder, chunk: Buffer | null): string {
  try {
    return chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch (error) {
    throw new TableError(path, 'is not UTF-8 text', 'save it as "CSV UTF-8"', error);
  }
}

function missing(path: string, error: unknown): TableError {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT') {
    return new TableError(path, 'does not exist', 'check the path: a relative one starts where Sendoff is run', error);
  }
  if (code === 'EACCES')
    return new TableError(path, 'may not be read', 'let the user that runs Sendoff read it', error);
  return new TableError(path, `cannot be read: ${messageOf(error)}`, 'name another file', error);
}
