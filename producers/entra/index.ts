import type { EntraSource } from '#shared/config/sources/entra.js';
import { createGraphClient } from '#shared/directory/entra/client.js';
import { type Source, type SourceTools, subscriptionsTask } from '../source.js';
import { lifecycleEvents, normalize } from './normalize.js';
import { deltaStreams, groupsTask, usersTask } from './poll.js';
import { subscriptionKeeper } from './subscribe.js';
import { answerValidation, verify } from './verify.js';

const deltaTasks = [usersTask, groupsTask];

/** What Graph says of a subscription -> what is to be done at once (idp-events.md §2.3). */
const dueAfter = new Map([
  ['reauthorizationRequired', [subscriptionsTask]],
  ['missed', deltaTasks],
  ['subscriptionRemoved', [subscriptionsTask, ...deltaTasks]],
]);

/** A Microsoft Entra tenant: change notifications, delta queries, and the subscriptions behind the former. */
export function entraSource(name: string, config: EntraSource, tools: SourceTools): Omit<Source, 'name'> {
  const { tenantId, clientState, disabled, poll } = config;
  const graph = createGraphClient(name, config);
  const expected = { tenantId, clientStates: clientState, subscriptions: tools.subscriptions };
  return {
    push: {
      verify: (request) => verify(request, expected),
      normalize: ({ body }) => normalize(body),
      handshake: answerValidation,
      handshakeBy: 'POST',
      accepted: 202,
      asksFor: ({ body }) => [...new Set(lifecycleEvents(body).flatMap((event) => dueAfter.get(event) ?? []))],
    },
    polls: poll === null ? [] : deltaStreams(graph, poll, disabled),
    subscriptions: subscriptionKeeper(graph, config),
  };
}
