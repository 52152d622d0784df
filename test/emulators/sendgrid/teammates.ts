import type { Answer, Request } from '../http.js';
import type { EmulatedAccount } from './account.js';
import { bodyOf, error, paged, type Route } from './routes.js';
import { known, managed, managedForPasswords, personas } from './scopes.js';
import type { EmulatedTeammate } from './seeds.js';

/** sendgrid.md §1.5: the page size when none is asked for is 50, whatever the specification says. */
const defaultLimit = 50;

export const teammateRoutes: Route[] = [
  {
    method: 'GET',
    path: '/v3/teammates',
    run: (account, { query }) =>
      paged(query, defaultLimit, [...account.teammates.values()].map(listed), (result) => ({ result })),
  },
  { method: 'POST', path: '/v3/teammates', run: invite },
  {
    method: 'GET',
    path: '/v3/teammates/pending',
    run: (account, { query }) =>
      paged(query, defaultLimit, [...account.invitations.values()], (result) => ({ result })),
  },
  {
    method: 'POST',
    path: '/v3/teammates/pending/{token}/resend',
    run(account, _request, { token = '' }) {
      const invitation = account.invitations.get(token);
      if (invitation === undefined) return error(404, 'invalid pending key', 'pending_key');
      invitation.expiration_date = Math.floor(Date.now() / 1_000) + 7 * 24 * 3_600;
      return {
        status: 200,
        body: { email: invitation.email, scopes: invitation.scopes, is_admin: invitation.is_admin, token },
        applied: true,
      };
    },
  },
  {
    method: 'DELETE',
    path: '/v3/teammates/pending/{token}',
    run: (account, _request, { token = '' }) =>
      account.invitations.delete(token)
        ? { status: 204, applied: true }
        : error(404, 'invalid pending key', 'pending_key'),
  },
  {
    method: 'GET',
    path: '/v3/teammates/{username}',
    run(account, _request, { username = '' }) {
      const teammate = account.teammates.get(username);
      return teammate === undefined ? notFound() : { status: 200, body: detailed(teammate) };
    },
  },
  { method: 'PATCH', path: '/v3/teammates/{username}', run: patchTeammate },
  {
    method: 'DELETE',
    path: '/v3/teammates/{username}',
    run(account, _request, { username = '' }) {
      const teammate = account.teammates.get(username);
      if (teammate === undefined) return notFound();
      if (teammate.user_type === 'owner') return error(403, 'access forbidden');
      account.teammates.delete(username);
      return { status: 204, applied: true };
    },
  },
  { method: 'GET', path: '/v3/teammates/{username}/subuser_access', run: subuserAccess },
  { method: 'POST', path: '/v3/sso/teammates', run: createSso },
  { method: 'PATCH', path: '/v3/sso/teammates/{username}', run: patchSso },
];

/** The list gives no scopes, and shows keys that no specification names (sendgrid.md §3). */
function listed({ scopes: _, subusers: __, ...teammate }: EmulatedTeammate) {
  return { ...teammate, is_partner_sso: false, is_unified: !teammate.is_sso, company: '', phone: '', website: '' };
}

function detailed(teammate: EmulatedTeammate) {
  const all = teammate.is_admin ? [...known] : [...teammate.scopes, 'user.profile.read', 'user.profile.update'];
  const scopes = [...new Set([...all, ...managed, ...(teammate.is_sso ? [] : managedForPasswords)])].sort();
  return { ...listed(teammate), scopes };
}

function notFound(): Answer {
  return error(404, 'username not found', 'username');
}

type Body = Record<string, unknown>;

function invite(account: EmulatedAccount, request: Request): Answer & { applied?: boolean } {
  const { email, scopes = [], is_admin = false } = bodyOf(request);
  if (typeof email !== 'string' || !/^[^@]+@[^@]+\.[^@]+$/.test(email)) return error(400, 'invalid email', 'email');
  const invitation = account.invite({ email, scopes: scopes as string[], is_admin: is_admin === true });
  return { status: 201, body: { token: invitation.token, email, scopes, is_admin }, applied: true };
}

/** Replaces the scopes; both fields are required (sendgrid.md §3). */
function patchTeammate(
  account: EmulatedAccount,
  request: Request,
  { username = '' }: Record<string, string>,
): Answer & { applied?: boolean } {
  const teammate = account.teammates.get(username);
  if (teammate === undefined) return notFound();
  const { scopes, is_admin } = bodyOf(request);
  if (!Array.isArray(scopes) || typeof is_admin !== 'boolean')
    return error(400, 'scopes and is_admin are required', 'scopes');
  if (teammate.user_type === 'owner') return error(403, 'access forbidden');
  if (is_admin && scopes.length > 0) return error(400, 'admins take no scopes', 'scopes');
  const refusal = refusedScopes(scopes, teammate.is_sso);
  if (refusal !== null) return refusal;
  grant(teammate, { is_admin, scopes, subusers: null });
  return { status: 200, body: detailed(teammate), applied: true };
}

function createSso(account: EmulatedAccount, request: Request): Answer & { applied?: boolean } {
  const body = bodyOf(request);
  const { email, first_name, last_name } = body;
  if (typeof email !== 'string' || typeof first_name !== 'string' || typeof last_name !== 'string') {
    return error(400, 'email, first_name and last_name are required', 'email');
  }
  if (account.teammates.has(email)) return error(400, 'username exists', 'username');
  const access = ssoAccess(body, true);
  if ('status' in access) return access;
  const teammate = account.addTeammate({ email, first_name, last_name, is_sso: true });
  grant(teammate, access);
  return { status: 201, body: { ...listed(teammate), scopes: [] }, applied: true };
}

function patchSso(
  account: EmulatedAccount,
  request: Request,
  { username = '' }: Record<string, string>,
): Answer & { applied?: boolean } {
  const teammate = account.teammates.get(username);
  if (teammate === undefined || !teammate.is_sso) return notFound();
  const body = bodyOf(request);
  const access = ssoAccess(body, false);
  if ('status' in access) return access;
  if (typeof body.first_name === 'string') teammate.first_name = body.first_name;
  if (typeof body.last_name === 'string') teammate.last_name = body.last_name;
  grant(teammate, access);
  return { status: 200, body: detailed(teammate), applied: true };
}

type Granted = Pick<EmulatedTeammate, 'is_admin' | 'scopes' | 'subusers'>;

/** The access forms and their exclusions (sendgrid.md §4). */
function ssoAccess(body: Body, creating: boolean): Granted | Answer {
  const { is_admin, persona, scopes, has_restricted_subuser_access: restricted, subuser_access: entries } = body;
  if (is_admin === true) return { is_admin: true, scopes: [], subusers: null };
  if (restricted === true || entries !== undefined) {
    if (scopes !== undefined)
      return error(400, 'cannot specify scopes for a restricted subuser access teammate', 'scopes');
    const list = (Array.isArray(entries) ? entries : []) as {
      id: number;
      permission_type: 'admin' | 'restricted';
      scopes?: string[];
    }[];
    // The whole block is dropped without a word when one scope in it does not exist for subusers (sendgrid.md §4).
    const dropped = list.some((entry) => entry.scopes?.includes('sender_verification_legacy'));
    return {
      is_admin: false,
      scopes: [],
      subusers: dropped ? null : list.map((entry) => ({ ...entry, scopes: entry.scopes ?? [] })),
    };
  }
  if (typeof persona === 'string') {
    const expanded = personas[persona];
    return expanded === undefined
      ? error(400, 'invalid persona', 'persona')
      : { is_admin: false, scopes: expanded, subusers: null };
  }
  if (!Array.isArray(scopes) || (creating && scopes.length === 0))
    return error(400, 'scopes cannot be empty', 'scopes');
  const refusal = refusedScopes(scopes, true);
  return refusal ?? { is_admin: false, scopes: scopes as string[], subusers: null };
}

function refusedScopes(scopes: unknown[], sso: boolean): Answer | null {
  const list = scopes as string[];
  if (list.some((scope) => managed.includes(scope) || (!sso && managedForPasswords.includes(scope)))) {
    return error(400, 'invalid or unassignable scopes were given', 'scopes');
  }
  // sendgrid.md §12: reported with status 500, and yet permanent.
  return list.every((scope) => known.has(scope)) ? null : error(500, 'invalid scopes provided');
}

function grant(teammate: EmulatedTeammate, access: Granted): void {
  Object.assign(teammate, access, { user_type: access.is_admin ? 'admin' : 'teammate' });
}

/** For whoever is not confined, every subuser is listed, which means nothing (sendgrid.md §3). */
function subuserAccess(
  account: EmulatedAccount,
  { query }: Request,
  { username = '' }: Record<string, string>,
): Answer {
  const teammate = account.teammates.get(username);
  if (teammate === undefined) return notFound();
  const confined = teammate.subusers !== null;
  const mine = new Map((teammate.subusers ?? []).map((entry) => [entry.id, entry]));
  const after = Number(query.get('after_subuser_id') ?? 0);
  const limit = Number(query.get('limit') ?? 100);
  const all = account.subusers
    .filter((subuser) => (!confined || mine.has(subuser.id)) && subuser.id > after)
    .sort((a, b) => a.id - b.id);
  const page = all.slice(0, limit).map((subuser) => ({
    ...subuser,
    permission_type: mine.get(subuser.id)?.permission_type ?? 'admin',
    scopes: mine.get(subuser.id)?.scopes ?? [],
  }));
  const next = all.length > limit ? page.at(-1)?.id : undefined;
  return {
    status: 200,
    body: {
      has_restricted_subuser_access: confined,
      subuser_access: page,
      _metadata: { next_params: next === undefined ? {} : { after_subuser_id: next } },
    },
  };
}
