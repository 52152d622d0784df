import type { EmulatedAccount } from './account.js';
import type { EmulatedApiKey } from './holdings.js';
import { bodyOf, error, type Route } from './routes.js';
import { known, managed } from './scopes.js';

/** sendgrid.md §2: the next one is refused with 403. */
const mostKeys = 100;
/** sendgrid.md §6.3: SendGrid adds these to every key by itself. */
const managedForKeys = managed.filter((scope) => /^2fa_required$|^sender_verification_/.test(scope));

export const apiKeyRoutes: Route[] = [
  {
    method: 'GET',
    path: '/v3/api_keys',
    // `offset` is undeclared, and nobody looks at it (sendgrid.md §2, pagination).
    run: (account, { query }) => ({
      status: 200,
      body: { result: [...account.apiKeys.values()].slice(0, Number(query.get('limit') ?? 50)).map(named) },
    }),
  },
  { method: 'POST', path: '/v3/api_keys', run: create },
  {
    method: 'GET',
    path: '/v3/api_keys/{api_key_id}',
    run(account, _request, { api_key_id = '' }) {
      const key = account.apiKeys.get(api_key_id);
      return key === undefined ? notFound() : { status: 200, body: detailed(key) };
    },
  },
  {
    method: 'PATCH',
    path: '/v3/api_keys/{api_key_id}',
    run(account, request, { api_key_id = '' }) {
      const key = account.apiKeys.get(api_key_id);
      if (key === undefined) return notFound();
      const { name } = bodyOf(request);
      if (typeof name !== 'string' || name === '') return error(400, 'name is required', 'name');
      key.name = name;
      return { status: 200, body: named(key), applied: true };
    },
  },
  {
    method: 'DELETE',
    path: '/v3/api_keys/{api_key_id}',
    run(account, _request, { api_key_id = '' }) {
      const key = account.apiKeys.get(api_key_id);
      if (key === undefined) return notFound();
      account.apiKeys.delete(api_key_id);
      if (key.secret === null) account.revoked = true;
      else if (account.deletedKeysLinger) account.lingeringKeys.add(key.secret);
      return { status: 204, applied: true };
    },
  },
];

function create(account: EmulatedAccount, request: Parameters<Route['run']>[1]): ReturnType<Route['run']> {
  const { name, scopes } = bodyOf(request);
  if (typeof name !== 'string' || name === '') return error(400, 'name is required', 'name');
  if (account.apiKeys.size >= mostKeys) return error(403, 'maximum number of api keys reached');
  const asked = Array.isArray(scopes) ? (scopes as string[]) : [];
  if (asked.some((scope) => !known.has(scope))) {
    return error(400, 'invalid or unassignable scopes were given', 'scopes');
  }
  // Who names no scopes gets all of them: Full Access.
  const key = account.addApiKey({ name, scopes: asked.length > 0 ? asked : [...known] });
  // The only time that the secret is shown.
  return { status: 201, body: { ...detailed(key), api_key: key.secret }, applied: true };
}

function named({ id, name }: EmulatedApiKey) {
  return { api_key_id: id, name };
}

/** Flat, whatever the specification says (sendgrid.md §13). */
function detailed(key: EmulatedApiKey) {
  return { ...named(key), scopes: [...key.scopes, ...managedForKeys] };
}

function notFound() {
  return error(404, 'unable to find api key');
}
