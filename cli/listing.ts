import { type Command, InvalidArgumentError } from 'commander';
import { everyPage, type ListPage, type ListQuery } from '#shared/store/lists.js';
import { type Column, print, table } from './output.js';

/** Options of every list: design.md, small print "Lists". */
export function addListOptions(command: Command, states: readonly string[]): Command {
  return command
    .option('--state <state>', `only these: ${states.join(', ')}`, (value) => {
      if (!states.includes(value)) throw new InvalidArgumentError(`one of ${states.join(', ')}`);
      return value;
    })
    .option('--limit <n>', 'how many', positive, 50)
    .option('--all', 'all of them, not only the newest')
    .option('--before <cursor>', 'go on where a page ended: its `next`');
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
  const page =
    options.all === true
      ? {
          items: await everyPage((before) => read({ limit: 500, ...(before === undefined ? {} : { before }) })),
          next: null,
        }
      : await read({ limit: options.limit, ...(options.before === undefined ? {} : { before: options.before }) });
  print(json, page, () => {
    const more = page.next === null ? '' : `\n… more: --before ${page.next}, or --all`;
    return table(page.items, columns, empty) + more;
  });
}

export function positive(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 10_000)
    throw new InvalidArgumentError('a whole number from 1 to 10000');
  return number;
}

/** `2026-11-24 15:04:05` in UTC, short enough for a column. */
export function shortTime(iso: string | null): string | null {
  return iso === null ? null : iso.slice(0, 19).replace('T', ' ');
}
