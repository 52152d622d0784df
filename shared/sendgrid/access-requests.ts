import { z } from 'zod';
import type { AccessRequest } from '#shared/lifecycle/types.js';
import { unlessAbsent, walkUnlessAbsent } from './absence.js';
import type { SendGridClient } from './client.js';

const item = z.object({
  id: z.union([z.int().transform(String), z.string().min(1)]),
  username: z.string().nullish(),
  email: z.string().nullish(),
  scope_group_name: z.string().nullish(),
});
const list = z.array(item);

/**
 * Every open request of a teammate for more access. The endpoint left the newest specification and may be gone: then
 * there are none (sendgrid.md §5).
 * @throws errors.ts; never returns part of the list
 */
export async function listAccessRequests(client: SendGridClient): Promise<AccessRequest[]> {
  const all = await walkUnlessAbsent<z.infer<typeof item>>(
    `SendGrid ${client.account}: GET /v3/scopes/requests`,
    (query) => client.call({ method: 'GET', path: '/v3/scopes/requests', query, answer: list }),
    ({ id }) => id,
  );
  return all.map(({ id, username, email, scope_group_name }) => ({
    id,
    username: username ?? '',
    email: email ?? '',
    scopeGroup: scope_group_name ?? '',
  }));
}

/**
 * Denies a request; SendGrid tells the requester by mail (sendgrid.md §5).
 * @returns 'absent' when there is no such request
 * @throws errors.ts
 */
export function denyAccessRequest(client: SendGridClient, id: string): Promise<'denied' | 'absent'> {
  return unlessAbsent('absent' as const, async () => {
    await client.call({ method: 'DELETE', path: '/v3/scopes/requests/{id}', params: { id }, answer: null });
    return 'denied' as const;
  });
}
