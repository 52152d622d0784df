import { z } from 'zod';
import { withoutManaged } from '#shared/lifecycle/scopes.js';
import { unlessAbsent } from './absence.js';
import type { SendGridClient } from './client.js';
import { SendGridRefused } from './errors.js';
import { walkPages } from './pages.js';

const listed = z.object({ api_key_id: z.string().min(1), name: z.string().nullish() });
const list = z
  .object({ result: z.array(listed).optional(), results: z.array(listed).optional() })
  .refine((body) => body.result ?? body.results);
// Missing scopes are not "no scopes".
const detailed = z.object({
  api_key_id: z.string().nullish(),
  name: z.string().nullish(),
  scopes: z.array(z.string()),
});
// Flat in reality, wrapped in the specification (sendgrid.md §13).
const detail = z.union([detailed, z.object({ result: z.array(detailed).min(1) }).transform(({ result }) => result)]);
const created = z.object({ api_key_id: z.string().min(1), api_key: z.string().min(1), name: z.string().nullish() });

/** SendGrid keeps no owner, no date and no last use of a key (sendgrid.md §1.2). */
export interface ApiKeyName {
  id: string;
  name: string;
}

/**
 * The keys of the account, or of the subuser that the client acts in (sendgrid.md §8).
 * @throws errors.ts; never returns part of the list
 */
export async function listApiKeys(client: SendGridClient): Promise<ApiKeyName[]> {
  const all = await walkPages<z.infer<typeof listed>>(
    `SendGrid ${client.account}: GET /v3/api_keys`,
    async (query) => {
      const body = await client.call({ method: 'GET', path: '/v3/api_keys', query, answer: list });
      return body.result ?? body.results ?? [];
    },
    (key) => key.api_key_id,
  );
  return all.map(({ api_key_id, name }) => ({ id: api_key_id, name: name ?? '' }));
}

/**
 * A key with what it may do, managed scopes taken out (sendgrid.md §6.3).
 * @returns null when there is no such key
 * @throws errors.ts
 */
export async function getApiKey(
  client: SendGridClient,
  id: string,
): Promise<(ApiKeyName & { scopes: string[] }) | null> {
  const body = await unlessAbsent(null, () =>
    client.call({ method: 'GET', path: '/v3/api_keys/{id}', params: { id }, answer: detail }),
  );
  const found = Array.isArray(body) ? body.find((key) => (key.api_key_id ?? id) === id) : body;
  return found == null ? null : { id, name: found.name ?? '', scopes: withoutManaged(found.scopes, { sso: true }) };
}

/**
 * Makes a key. Its secret is shown this once (sendgrid.md §8): nothing here keeps it. Not idempotent; an answer that
 * never came may have left a key of this name behind.
 * @throws SendGridRefused also when no scope is left to give, which SendGrid would take for all of them, and at 100 keys
 * (403, sendgrid.md §2)
 */
export async function createApiKey(
  client: SendGridClient,
  { name, scopes }: { name: string; scopes: readonly string[] },
): Promise<ApiKeyName & { secret: string }> {
  const given = withoutManaged(scopes, { sso: true });
  if (given.length === 0) {
    throw new SendGridRefused(`SendGrid ${client.account}: a key made without scopes would get all of them`, {
      code: 'SENDGRID_UNSUPPORTED',
      blame: 'input',
      remedy: 'name the scopes that the key needs',
    });
  }
  const body = { name, scopes: given };
  const made = await client.call({ method: 'POST', path: '/v3/api_keys', body, answer: created });
  return { id: made.api_key_id, name: made.name ?? name, secret: made.api_key };
}

/**
 * @returns 'absent' when there is no such key
 * @throws errors.ts
 */
export function renameApiKey(client: SendGridClient, id: string, name: string): Promise<'renamed' | 'absent'> {
  return unlessAbsent('absent' as const, async () => {
    await client.call({ method: 'PATCH', path: '/v3/api_keys/{id}', params: { id }, body: { name }, answer: null });
    return 'renamed' as const;
  });
}

/**
 * Deletes; there is no way back. The key may go on working for minutes (sendgrid.md §2, revocation lag).
 * @returns 'absent' when there is no such key
 * @throws errors.ts
 */
export function deleteApiKey(client: SendGridClient, id: string): Promise<'deleted' | 'absent'> {
  return unlessAbsent('absent' as const, async () => {
    await client.call({ method: 'DELETE', path: '/v3/api_keys/{id}', params: { id }, answer: null });
    return 'deleted' as const;
  });
}
