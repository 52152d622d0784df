import type { Answer, HookRequest, SourceTools, Verdict } from '../source.js';
import { isOneOf, parseJson } from '../untrusted.js';
import { GraphDelivery, GraphProof } from './schema.js';

/** Graph's token is a short opaque text; anything else is not echoed. */
const tokenForm = /^[\x20-\x7e]{1,1024}$/;

const discarded: Verdict = { ok: false, why: 'discarded' };

export interface Expected {
  tenantId: string;
  clientStates: readonly string[];
  subscriptions: SourceTools['subscriptions'];
}

/**
 * Every item must carry our clientState, our tenant and a subscription of ours; else none of them counts. Graph repeats
 * for hours whatever is refused, so what is not theirs is answered as if it were (idp-events.md §2.2).
 */
export async function verify({ body }: HookRequest, expected: Expected): Promise<Verdict> {
  const states = expected.clientStates.filter((state) => state !== '');
  if (states.length === 0) return { ok: false, why: 'misconfigured' };
  const delivery = GraphDelivery.safeParse(parseJson(body.toString('utf8')));
  // Users and groups never come with tokens: who sends some is somebody else.
  if (!delivery.success || delivery.data.validationTokens !== undefined) return discarded;
  const ids = new Set<string>();
  for (const item of delivery.data.value) {
    const proof = GraphProof.safeParse(item);
    if (!proof.success || !isOurs(proof.data, states, expected.tenantId)) return discarded;
    ids.add(proof.data.subscriptionId);
  }
  if (ids.size === 0) return discarded;
  for (const id of ids) if (!(await isKnown(id, expected.subscriptions))) return discarded;
  return { ok: true };
}

function isOurs({ clientState, tenantId, resourceData }: GraphProof, states: string[], tenant: string): boolean {
  const organization = resourceData?.organizationId ?? tenantId;
  return isOneOf(clientState, states) && [tenantId, organization].every((id) => id.toLowerCase() === tenant);
}

/** A notification may overtake the answer that tells us the subscription's id: then its row has none yet. */
async function isKnown(id: string, subscriptions: SourceTools['subscriptions']): Promise<boolean> {
  const isIt = ({ remoteId }: { remoteId: string | null }) => remoteId === id;
  const rows = await subscriptions(isIt);
  return rows.some((row) => isIt(row) || row.remoteId === null);
}

/** The POST by which Graph checks each address before it creates a subscription (idp-events.md §2.1). Text, never HTML. */
export function answerValidation({ query }: HookRequest): Answer | null {
  const { validationToken } = query;
  if (typeof validationToken !== 'string' || !tokenForm.test(validationToken)) return null;
  return {
    status: 200,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    body: validationToken,
  };
}
