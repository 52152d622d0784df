import { z } from 'zod';
import type { Check } from '#shared/directory/directory.js';
import { messageOf } from '#shared/errors.js';
import type { BelongingKind } from '#shared/lifecycle/belonging.js';
import { listAccessRequests } from './access-requests.js';
import { listApiKeys } from './api-keys.js';
import { belongingNouns } from './belongings/index.js';
import type { SendGridClient } from './client.js';
import { SendGridUnauthorized } from './errors.js';
import { listInvitations } from './invitations.js';
import { ownScopes } from './scopes.js';
import { listSubusers } from './subusers.js';
import { listTeammates } from './teammates.js';
import { ownUsername } from './user.js';

const newKey = 'make a new Full Access key for Sendoff; a key that was restricted once may stay so after an edit';

/** What this version needs (sendgrid.md §6.5). */
const needed = ['teammates.read', 'teammates.update', 'teammates.delete', 'user.username.read'];
const neededForSso = ['sso.teammates.update'];

export interface Needs {
  /**
   * Are there SSO teammates to manage? true: the SSO endpoints are asked too, for a key may have every scope and still
   * be refused there (sendgrid.md §2, key sufficiency). Not given: the scopes are looked at, nothing is asked.
   */
  sso?: boolean;
  /** Are subusers swept? */
  subusers?: boolean;
  /** What is handed over when somebody leaves. */
  reassign?: readonly BelongingKind[];
}

/** Can this account's key do what the configuration needs? Changes nothing, never throws. */
export async function doctorAccount(client: SendGridClient, needs: Needs = {}): Promise<Check[]> {
  const name = (what: string) => `accounts.${client.account} ${what}`;
  const scopes = await attempt(name('key'), 'is accepted by SendGrid', newKey, () => ownScopes(client));
  if (scopes.value === null) return [scopes.check];
  const [own, ...lists] = await Promise.all([
    checkOwnUser(name('own user'), client),
    attempt(name('teammates'), 'can be read', newKey, () => listTeammates(client)),
    attempt(name('invitations'), 'can be read', newKey, () => listInvitations(client)),
    attempt(name('access requests'), 'can be read', newKey, () => listAccessRequests(client)),
    attempt(name('API keys'), 'can be read', newKey, () => listApiKeys(client)),
    ...(needs.subusers === true
      ? [attempt(name('subusers'), 'can be read', `${newKey}; or write subusers: none`, () => listSubusers(client))]
      : []),
    ...(needs.reassign ?? []).map((kind) =>
      attempt(name(kind), 'can be read', `${newKey}; or take it out of offboarding.reassign`, () =>
        belongingNouns[kind].list(client),
      ),
    ),
    ...(needs.sso === true ? [attempt(name('sso'), 'can be read', newKey, () => ssoIntegrations(client))] : []),
  ]);
  return [scopes.check, checkScopes(name('scopes'), scopes.value, needs), ...lists.map(({ check }) => check), own];
}

function checkScopes(name: string, has: string[], needs: Needs): Check {
  const missing = [...needed, ...(needs.sso === false ? [] : neededForSso)].filter((scope) => !has.includes(scope));
  const ok = missing.length === 0;
  return { name, ok, detail: ok ? 'has what Sendoff needs' : `lacks ${missing.join(', ')}`, remedy: ok ? '' : newKey };
}

async function checkOwnUser(name: string, client: SendGridClient): Promise<Check> {
  const { check, value } = await attempt(name, '', newKey, async () => ({ username: await ownUsername(client) }));
  if (value === null) return check;
  const detail =
    value.username === null
      ? 'may not be read, so Sendoff can’t tell whose key this is; list that person under `protect`'
      : `the key belongs to ${value.username}, who is never touched`;
  return { ...check, detail };
}

/** Only whether it answers matters. */
function ssoIntegrations(client: SendGridClient): Promise<unknown> {
  return client.call({
    method: 'GET',
    path: '/v3/sso/integrations',
    answer: z.union([z.array(z.unknown()), z.object({})]),
  });
}

async function attempt<T>(
  name: string,
  good: string,
  remedy: string,
  run: () => Promise<T>,
): Promise<{ check: Check; value: T | null }> {
  try {
    return { value: await run(), check: { name, ok: true, detail: good, remedy: '' } };
  } catch (error) {
    const known = error instanceof SendGridUnauthorized ? 'SendGrid refuses the key (401)' : messageOf(error);
    return { value: null, check: { name, ok: false, detail: known, remedy } };
  }
}
