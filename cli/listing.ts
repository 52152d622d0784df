import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ListPage, ListQuery } from '#shared/store/lists.js';
import { type Column, print, table } from './output.js';

/** The longest page that a server gives. */
const pageLimit = 500;

/** Options of every list: design.md, small print "Lists". */
export function addListOptions(command: Command, states: readonly string[]): Command {
  return command
    .addOption(new Option('--state <state>', 'only these').choices(states))
    .option('--limit <n>', 'how many', positive, 50)
    .option('--all', 'all of them, not only the newest')
    .option('--before <cursor>', 'go on where a page ended: its `next`', cursor);
}

export interface ListOptions {
  state?: string;
  limit: number;
  all?: boolean;
  before?: string;
}

/** Reads what was asked for and prints it. */
export async function printList<T>(
  json: boolean,
  options: ListOptions,
  read: (query: ListQuery) => Promise<ListPage<T>>,
  columns: Column<T>[],
  empty: string,
): Promise<void> {
  const page = await readUpTo(options.all === true ? Number.POSITIVE_INFINITY : options.limit, options.before, read);
  print(json, page, () => {
    const more = page.next === null ? '' : `\n… more: --before ${page.next}, or --all`;
    return table(page.items, columns, empty) + more;
  });
}

async function readUpTo<T>(
  limit: number,
  before: string | undefined,
  read: (query: ListQuery) => Promise<ListPage<T>>,
): Promise<ListPage<T>> {
  const items: T[] = [];
  let next: string | null = before ?? null;
  do {
    const page = await read({ limit: Math.min(limit - items.length, pageLimit), before: next ?? undefined });
    items.push(...page.items);
    next = page.next;
  } while (next !== null && items.length < limit);
  return { items, next };
}

export function positive(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 10_000)
    throw new InvalidArgumentError('a whole number from 1 to 10000');
  return number;
}

function cursor(value: string): string {
  if (/^\d{1,19}$/.test(value)) return value;
  throw new InvalidArgumentError('what `next` of the page before says');
}

/** `2026-11-24 15:04:05` in UTC, short enough for a column. */
export function shortTime(iso: string | null): string | null {
  return iso === null ? null : iso.slice(0, 19).replace('T', ' ');
}

/** An option's value that is a time. */
export function instant(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError('a time such as 2026-11-24T00:00:00Z');
  return time;
}
