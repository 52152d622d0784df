import { type Command, InvalidArgumentError } from 'commander';
import type { EventFilter } from '#shared/store/event-filter.js';
import { instant } from './listing.js';

// Which events are meant, for `events list` and `events replay` alike.

export type FilterOptions = Pick<EventFilter, 'type' | 'source' | 'email' | 'since' | 'until'>;

export function addFilterOptions(command: Command): Command {
  return command
    .option('--type <type>', 'only this type, such as terminated')
    .option('--source <source>', 'only from this source')
    .option('--email <email>', 'only about this person', address)
    .option('--since <time>', 'received from this time on (RFC 3339)', instant)
    .option('--until <time>', 'received up to this time (RFC 3339)', instant);
}

/** What was narrowed, and nothing else. */
export function filterOf({ type, source, email, since, until }: FilterOptions): EventFilter {
  const given = Object.entries({ type, source, email, since, until }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

function address(text: string): string {
  if (/^[^\s@]+@[^\s@]+$/.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('an e-mail address');
}
