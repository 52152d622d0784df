import type { WebhookSource } from '#shared/config/sources/webhook.js';
import type { Source } from '../source.js';
import { normalize, ownMapping } from './normalize.js';
import { createVerifier } from './verify.js';

/** Any system that signs its webhooks by the Standard Webhooks specification. */
export function webhookSource(_name: string, { signingSecret, mapping, ids }: WebhookSource): Omit<Source, 'name'> {
  const reading = { mapping: mapping ?? ownMapping, hasIds: ids !== undefined };
  return {
    push: { verify: createVerifier(signingSecret), normalize: (request) => normalize(request, reading) },
    polls: [],
    subscriptions: null,
  };
}
