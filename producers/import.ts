import type { Config } from '#shared/config/schema.js';
import { SendoffError } from '#shared/errors.js';
import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import type { Db } from '#shared/store/database.js';
import { createIntake } from '#shared/store/intake.js';
import type { FileImport, Source } from './source.js';
import { configuredSources } from './sources.js';

// A file that an operator hands over: looked at from end to end first, and stored only when every row of it can be.

const batchSize = 1_000;
const shownRows = 10;
const shownErrors = 100;

export interface ImportError {
  row: number;
  column: string | null;
  text: string;
}

export interface ImportPreview {
  rows: number;
  /** Rows by what they say. */
  types: Record<string, number>;
  /** Of a type that the source does not take. */
  ignored: number;
  /** Their day has not come: they are not imported. */
  later: number;
  first: { row: number; type: string; email: string | null; id: string | null; occurredAt: string | null }[];
  errorCount: number;
  /** The first of them. */
  errors: ImportError[];
  digest: string;
}

export interface ImportResult {
  stored: number;
  /** Were in the inbox already. */
  duplicates: number;
}

export interface Import {
  source: string;
  preview(): Promise<ImportPreview>;
  /**
   * Stores every row of the file that was looked at.
   * @throws SendoffError when it is another one by now
   */
  store(preview: ImportPreview, onProgress: (done: number, of: number) => void): Promise<ImportResult>;
}

/** @param wanted name of the source as which the file is read; undefined: the only one that takes files */
export function openImport(config: Config, db: Db, path: string, wanted: string | undefined): Import {
  const { name, imports } = sourceFor(configuredSources(config, db), wanted);
  return {
    source: name,
    preview: () => preview(imports, path),
    store: (seen, onProgress) => store(db, { name, imports, path, seen }, onProgress),
  };
}

function sourceFor(sources: Source[], wanted: string | undefined): { name: string; imports: FileImport } {
  const taking = sources.flatMap(({ name, imports }) => (imports === undefined ? [] : [{ name, imports }]));
  const [only, ...others] = taking;
  const found =
    wanted === undefined ? (others.length === 0 ? only : undefined) : taking.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const names = taking.map(({ name }) => name).join(', ');
  throw new SendoffError(
    wanted === undefined
      ? `${taking.length} sources of the configuration take files`
      : `no source ${wanted} takes files`,
    {
      code: 'IMPORT_SOURCE_UNKNOWN',
      blame: 'input',
      remedy:
        names === '' ? 'configure a source of `type: file` (docs/sources/file.md)' : `--source names one of ${names}`,
    },
  );
}

async function preview(imports: FileImport, path: string): Promise<ImportPreview> {
  const digest = await imports.digest(path);
  const types = new Map<string, number>();
  const found: Omit<ImportPreview, 'types' | 'digest'> = {
    rows: 0,
    ignored: 0,
    later: 0,
    first: [],
    errorCount: 0,
    errors: [],
  };
  for await (const { number, entry, faults } of imports.rows(path)) {
    found.rows += 1;
    found.errorCount += faults.length;
    for (const fault of faults) if (found.errors.length < shownErrors) found.errors.push({ row: number, ...fault });
    if (entry === null) found.later += faults.length === 0 ? 1 : 0;
    else if (entry.outcome !== 'event') found.ignored += 1;
    else {
      types.set(entry.type, (types.get(entry.type) ?? 0) + 1);
      if (found.first.length < shownRows) found.first.push(lineOf(number, entry));
    }
  }
  return { ...found, types: Object.fromEntries(types), digest };
}

function lineOf(row: number, entry: Extract<NormalizedEntry, { outcome: 'event' }>): ImportPreview['first'][number] {
  const { type, person, occurredAt } = entry;
  return { row, type, email: person.email, id: person.directoryId, occurredAt: occurredAt?.toISOString() ?? null };
}

async function store(
  db: Db,
  { name, imports, path, seen }: { name: string; imports: FileImport; path: string; seen: ImportPreview },
  onProgress: (done: number, of: number) => void,
): Promise<ImportResult> {
  if (seen.errorCount > 0 || (await imports.digest(path)) !== seen.digest) throw changed(path);
  const intake = createIntake(db);
  const result: ImportResult = { stored: 0, duplicates: 0 };
  const commit = async (entries: NormalizedEntry[], read: number): Promise<void> => {
    const { stored, duplicates } = await intake.store(name, entries);
    result.stored += stored;
    result.duplicates += duplicates;
    onProgress(read, seen.rows);
  };
  let batch: NormalizedEntry[] = [];
  let read = 0;
  // The next rows are read while these are stored.
  let committing = Promise.resolve();
  for await (const { entry, faults } of imports.rows(path)) {
    if (faults.length > 0) throw changed(path);
    read += 1;
    // What the source does not take says nothing that anybody asked for.
    if (entry?.outcome === 'event') batch.push(entry);
    if (batch.length < batchSize) continue;
    await committing;
    committing = commit(batch, read);
    // If it fails, the next line that waits for it says so.
    committing.catch(() => undefined);
    batch = [];
  }
  await committing;
  await commit(batch, read);
  return result;
}

function changed(path: string): SendoffError {
  return new SendoffError(`${path} is not the file any more that was looked at`, {
    code: 'IMPORT_CHANGED',
    blame: 'input',
    remedy: 'import it again: rows that were stored are known by then',
  });
}
