import type { DuoSource } from '#shared/config/sources/duo.js';
import { createDuoClient } from '#shared/directory/duo/client.js';
import type { Source } from '../source.js';
import { activityStream } from './poll.js';

/** A Duo account: it pushes nothing, so its log is asked. */
export function duoSource(name: string, config: DuoSource): Omit<Source, 'name'> {
  return {
    push: null,
    polls: config.poll === null ? [] : [activityStream(name, createDuoClient(name, config), config.poll)],
    subscriptions: null,
  };
}
