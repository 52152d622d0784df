import { z } from 'zod';
import { withoutManaged } from '#shared/lifecycle/scopes.js';
import type { Access, Persona, SubuserAccess, Teammate } from '#shared/lifecycle/types.js';
import type { SendGridClient } from './client.js';
import { SendGridNotFound, SendGridRefused } from './errors.js';
import { walkPages } from './pages.js';

/** A teammate's handle. Not an e-mail address, though for SSO teammates it reads like one (sendgrid.md §1.3). */
export type Username = string & { readonly brand: 'Username' };

export function username(text: string): Username {
  return text as Username;
}

const text = z.string().nullish();
const listed = z.object({
  username: z.string().min(1),
  email: z.string(),
  user_type: z.string().nullish(),
  is_admin: z.boolean().nullish(),
  is_sso: z.boolean().nullish(),
  first_name: text,
  last_name: text,
});
const list = z
  .object({ result: z.array(listed).optional(), results: z.array(listed).optional() })
  .refine((body) => body.result ?? body.results);
// Missing scopes are not "no scopes"; an admin's list says nothing.
const detail = listed
  .extend({ scopes: z.array(z.string()).nullish() })
  .refine((body) => body.scopes || body.is_admin || body.user_type === 'owner' || body.user_type === 'admin');
const subuserPage = z.object({
  // Without it nothing tells "confined" from "not confined".
  has_restricted_subuser_access: z.boolean(),
  subuser_access: z
    .array(
      z.object({
        id: z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)]),
        permission_type: z.string(),
        scopes: z.array(z.string()).nullish(),
      }),
    )
    .nullish(),
  _metadata: z
    .object({ next_params: z.object({ after_subuser_id: z.union([z.number(), z.string()]).nullish() }).nullish() })
    .nullish(),
});

type Listed = z.infer<typeof listed>;

/**
 * Every teammate of the parent account (sendgrid.md §3). An account has its owner at least: a list that is empty is read
 * twice before it is believed.
 * @throws errors.ts; never returns part of the list
 */
export async function listTeammates(client: SendGridClient): Promise<Teammate[]> {
  const walk = () =>
    walkPages<Listed>(
      `SendGrid ${client.account}: GET /v3/teammates`,
      async (query) => {
        const body = await client.call({ method: 'GET', path: '/v3/teammates', query, answer: list });
        return body.result ?? body.results ?? [];
      },
      (item) => item.username,
    );
  const all = await walk();
  return (all.length > 0 ? all : await walk()).map(toTeammate);
}

/**
 * One teammate with what they may do, managed scopes taken out (sendgrid.md §3, §6.3).
 * @param options.subusers read what they may do inside subusers too: costs another call
 * @returns null when there is no such username
 * @throws errors.ts
 */
export async function getTeammate(
  client: SendGridClient,
  name: Username,
  options: { subusers: boolean },
): Promise<{ teammate: Teammate; access: Access } | null> {
  let body: z.infer<typeof detail>;
  try {
    body = await client.call({
      method: 'GET',
      path: '/v3/teammates/{username}',
      params: { username: name },
      answer: detail,
    });
  } catch (error) {
    if (error instanceof SendGridNotFound) return null;
    throw error;
  }
  const teammate = toTeammate(body);
  if (teammate.admin) return { teammate, access: { admin: true, scopes: [], subusers: null } };
  const subusers = options.subusers ? await subuserAccess(client, teammate) : null;
  // Whoever is confined to subusers still shows scopes of the parent, which say nothing (sendgrid.md §4).
  const scopes = subusers === null ? withoutManaged(body.scopes ?? [], teammate) : [];
  return { teammate, access: { admin: false, scopes, subusers } };
}

/**
 * What somebody may do inside subusers, all pages of it: a part, written back, would revoke the rest (sendgrid.md §4).
 * @returns null when the person is not confined to subusers: then the list names all of them and means nothing (§3)
 */
async function subuserAccess(client: SendGridClient, teammate: Teammate): Promise<SubuserAccess[] | null> {
  const entries = new Map<number, SubuserAccess>();
  for (let after: number | string | null = null, page = 0; ; page += 1) {
    const body = await subuserAccessPage(client, teammate, after);
    if (body === null || (page === 0 && !body.has_restricted_subuser_access)) return null;
    const before = entries.size;
    for (const { id, permission_type, scopes } of body.subuser_access ?? []) {
      const permission = permission_type === 'admin' ? 'admin' : 'restricted';
      entries.set(id, { id, permission, scopes: permission === 'admin' ? [] : withoutManaged(scopes ?? [], teammate) });
    }
    after = body._metadata?.next_params?.after_subuser_id ?? null;
    // The cursor may be absent, 0 or empty at the end (sendgrid.md §2, pagination).
    if (after === null || Number(after) === 0 || entries.size === before) {
      return [...entries.values()].sort((a, b) => a.id - b.id);
    }
  }
}

async function subuserAccessPage(
  client: SendGridClient,
  { username, sso }: Teammate,
  after: number | string | null,
): Promise<z.infer<typeof subuserPage> | null> {
  try {
    return await client.call({
      method: 'GET',
      path: '/v3/teammates/{username}/subuser_access',
      params: { username },
      query: { limit: 500, ...(after === null ? {} : { after_subuser_id: after }) },
      answer: subuserPage,
    });
  } catch (error) {
    // Plans without subusers have no SSO either (sendgrid.md §4), and may refuse this question about their teammates. A
    // 404 about somebody who was read a moment ago says that there is nothing to confine them to.
    const declined =
      error instanceof SendGridNotFound ||
      (!sso && error instanceof SendGridRefused && error.code === 'SENDGRID_FORBIDDEN');
    if (after === null && declined) return null;
    throw error;
  }
}

/**
 * Deletes; there is no way back (sendgrid.md §1.1).
 * @returns 'absent' when SendGrid knew no such username, which may also be a wrong one (§9): look again
 * @throws errors.ts
 */
export async function deleteTeammate(client: SendGridClient, name: Username): Promise<'deleted' | 'absent'> {
  try {
    await client.call({ method: 'DELETE', path: '/v3/teammates/{username}', params: { username: name }, answer: null });
    return 'deleted';
  } catch (error) {
    if (error instanceof SendGridNotFound) return 'absent';
    throw error;
  }
}

/**
 * Brings a teammate to exactly this access. SSO and password teammates have endpoints of their own (sendgrid.md §3, §4);
 * switching form needs the opposite flags said, and `scopes` left out for who is confined to subusers. Read back
 * afterwards: SendGrid answers 2xx and drops part of it (§1.6).
 * @param persona asked for by its name instead of its scopes, which differ by plan; SSO teammates only
 * @throws SendGridRefused also for what no request can ask: a password teammate confined to subusers; nothing was sent
 */
export async function setAccess(
  client: SendGridClient,
  teammate: Teammate,
  access: Access,
  persona: Persona | null = null,
): Promise<void> {
  const params = { username: teammate.username };
  if (teammate.sso) {
    const names = namesOf(teammate);
    const body = { ...names, ...ssoForm(access, persona) };
    await client.call({ method: 'PATCH', path: '/v3/sso/teammates/{username}', params, body, answer: null });
    return;
  }
  await client.call({
    method: 'PATCH',
    path: '/v3/teammates/{username}',
    params,
    body: passwordForm(client.account, access),
    answer: null,
  });
}

/**
 * Makes an SSO teammate, who needs to accept nothing (sendgrid.md §4). Not idempotent: look first, and read back, for the
 * access may be dropped without a word (§1.6).
 * @throws SendGridRefused also "username exists", when the address is held elsewhere (§2)
 */
export async function createSsoTeammate(
  client: SendGridClient,
  person: { email: string } & Pick<Teammate, 'firstName' | 'lastName'>,
  access: Access,
  persona: Persona | null = null,
): Promise<void> {
  const body = { email: person.email, ...namesOf(person), ...ssoForm(access, persona) };
  await client.call({ method: 'POST', path: '/v3/sso/teammates', body, answer: null });
}

/** The specification requires both names (sendgrid.md §13); JIT fills missing ones the same way (§4). */
function namesOf({ firstName, lastName }: Pick<Teammate, 'firstName' | 'lastName'>) {
  return { first_name: firstName || 'Unknown', last_name: lastName || 'Unknown' };
}

function passwordForm(account: string, access: Access): Record<string, unknown> {
  if (access.admin) return { is_admin: true, scopes: [] };
  if (access.subusers === null) return { is_admin: false, scopes: withoutManaged(access.scopes, { sso: false }) };
  throw new SendGridRefused(`SendGrid ${account}: its API can't confine a password teammate to subusers`, {
    code: 'SENDGRID_UNSUPPORTED',
    blame: 'input',
    remedy: 'set their subuser access in SendGrid’s own settings',
  });
}

/** The access forms exclude each other (sendgrid.md §4). */
function ssoForm(access: Access, persona: Persona | null): Record<string, unknown> {
  const given = (scopes: string[]) => withoutManaged(scopes, { sso: true });
  if (access.admin) return { is_admin: true, has_restricted_subuser_access: false };
  if (access.subusers === null) {
    const form = persona === null ? { scopes: given(access.scopes) } : { persona };
    return { is_admin: false, has_restricted_subuser_access: false, ...form };
  }
  return {
    is_admin: false,
    has_restricted_subuser_access: true,
    // One scope that is not valid for subusers makes SendGrid drop the whole block without a word (sendgrid.md §4).
    subuser_access: access.subusers.map(({ id, permission, scopes }) => ({
      id,
      permission_type: permission,
      ...(permission === 'admin' ? {} : { scopes: given(scopes) }),
    })),
  };
}

function toTeammate(item: Listed): Teammate {
  const userType =
    item.user_type === 'owner' ? 'owner' : item.user_type === 'admin' || item.is_admin === true ? 'admin' : 'teammate';
  return {
    username: item.username,
    email: item.email,
    userType,
    admin: userType !== 'teammate',
    sso: item.is_sso === true,
    firstName: item.first_name ?? null,
    lastName: item.last_name ?? null,
  };
}
