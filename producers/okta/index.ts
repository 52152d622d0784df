import type { OktaSource } from '#shared/config/sources/okta.js';
import type { Source } from '../source.js';
import { normalize } from './normalize.js';
import { systemLog } from './poll.js';
import { eventHook } from './subscribe.js';
import { answerChallenge, verify } from './verify.js';

/** An Okta org: event hooks, and its System Log. */
export function oktaSource(name: string, config: OktaSource): Omit<Source, 'name'> {
  const { hookSecret, app, poll } = config;
  return {
    push: {
      verify: (request) => verify(request, hookSecret),
      normalize: ({ body }) => normalize(body, app ?? null),
      handshake: answerChallenge,
    },
    polls: poll === null ? [] : [systemLog(name, { ...config, poll })],
    subscriptions: eventHook(name, config),
  };
}
