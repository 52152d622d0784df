import type { OneLoginSource } from '#shared/config/sources/onelogin.js';
import { createOneLoginClient } from '#shared/directory/onelogin/client.js';
import type { Source } from '../source.js';
import { createEventTypes } from './event-types.js';
import { normalize } from './normalize.js';
import { eventsPoll } from './poll.js';
import { verify } from './verify.js';

/** A OneLogin account: its event webhook, and its Events API. The webhook is made by hand: there is no API for it. */
export function oneLoginSource(name: string, source: OneLoginSource): Omit<Source, 'name'> {
  const client = createOneLoginClient(name, source);
  const types = createEventTypes(client);
  const app = source.app ?? null;
  return {
    push: {
      verify: (request) => verify(request, source.hookSecret),
      normalize: ({ body }) => normalize(body, { names: types.known(), app }),
      // Which answers count as success is not documented: the plainest.
      accepted: 200,
    },
    polls: source.poll === null ? [] : [eventsPoll({ client, types, app, everyMs: source.poll })],
    subscriptions: null,
  };
}
