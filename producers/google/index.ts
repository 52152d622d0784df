import type { GoogleSource } from '#shared/config/sources/google.js';
import { createGoogleClient } from '#shared/directory/google/client.js';
import type { Source, SourceTools } from '../source.js';
import { normalize } from './normalize.js';
import { activityStream, deletedStream } from './poll.js';
import { channelKeeper } from './subscribe.js';
import { verify } from './verify.js';

/** A Google Workspace customer: channels on its users, its audit log, and the list of who was deleted. */
export function googleSource(name: string, config: GoogleSource, { subscriptions }: SourceTools): Omit<Source, 'name'> {
  const client = createGoogleClient(name, config);
  const { channelToken, poll } = config;
  const now = () => new Date();
  const channels = (id: string) => subscriptions(({ remoteId }) => remoteId === id);
  return {
    push: {
      verify: (request) => verify(request, channelToken, channels, now()),
      normalize,
    },
    polls: poll === null ? [] : [activityStream(client, poll, now), deletedStream(client, poll, now)],
    subscriptions: channelKeeper(client, channelToken[0] ?? ''),
  };
}
