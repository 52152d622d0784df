import { z } from 'zod';
import type { SendGridClient } from './client.js';

const answer = z.object({ scopes: z.array(z.string()) });

/** The scopes of the key itself. Also the probe of a closed account: the cheapest call that any key may make. */
export async function ownScopes(client: SendGridClient): Promise<string[]> {
  return (await client.call({ method: 'GET', path: '/v3/scopes', answer })).scopes;
}
