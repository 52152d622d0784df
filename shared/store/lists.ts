import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import { SendoffError } from '#shared/errors.js';

// Lists are newest first and paged by `seq`, the order in which rows came (design.md, small print "Lists").

export interface ListQuery {
  limit: number;
  /** The cursor of the page before: a `seq`. */
  before?: string | undefined;
}

export interface ListPage<T> {
  items: T[];
  /** Cursor of the next page; null at the end. */
  next: string | null;
}

/** For rows fetched with `limit + 1`: the one too many tells that there is more. */
export function pageOf<Row extends { seq: string }, T>(
  rows: Row[],
  limit: number,
  toItem: (row: Row) => T,
): ListPage<T> {
  const page = rows.slice(0, limit);
  return { items: page.map(toItem), next: rows.length > limit ? (page.at(-1)?.seq ?? null) : null };
}

/** @throws SendoffError CURSOR_INVALID */
export function seqBefore(column: string, before: string | undefined): Expression<SqlBool> {
  if (before !== undefined && !/^\d{1,18}$/.test(before)) throw cursorInvalid();
  return sql<SqlBool>`${sql.ref(column)} < ${before}::bigint`;
}

/**
 * One value of a column, for a list that is sorted by this column before `seq`: so PostgreSQL walks along the index of
 * both. Told `=`, it may walk along all of `seq` to meet such rows soon, and those of a silent source lie at its far end.
 */
export function only(column: string | RawBuilder<unknown>, value: string | undefined): Expression<SqlBool> {
  const place = typeof column === 'string' ? sql.ref(column) : column;
  return sql<SqlBool>`(${place} between ${value} and ${value})`;
}

/** Cursor of lists that are ordered by a time, and by id within it. @param cursor the time as the database writes it */
export function timedCursor({ cursor, id }: { cursor: string; id: string }): string {
  return Buffer.from(`${cursor}|${id}`).toString('base64url');
}

/** @throws SendoffError CURSOR_INVALID */
export function readTimedCursor(text: string): { at: string; id: string } {
  const [, at, id] = /^([\d\-:.+ ]+)\|([0-9a-f-]{36})$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  if (at !== undefined && id !== undefined) return { at, id };
  throw cursorInvalid();
}

function cursorInvalid(): SendoffError {
  return new SendoffError('that is no cursor of this list', {
    code: 'CURSOR_INVALID',
    blame: 'input',
    remedy: 'pass on `next` of the page before as it is',
  });
}

/** Walks all pages. */
export async function everyPage<T>(read: (before: string | undefined) => Promise<ListPage<T>>): Promise<T[]> {
  const items: T[] = [];
  let before: string | undefined;
  do {
    const page = await read(before);
    items.push(...page.items);
    before = page.next ?? undefined;
  } while (before !== undefined);
  return items;
}
