import type { Answer, Request } from '../http.js';

export interface TwilioUserSeed {
  userName: string;
  id?: string;
  externalId?: string;
  active?: boolean;
  /** Neither can be changed (sendgrid.md §11). */
  isOwner?: boolean;
  isSuspended?: boolean;
}

export interface EmulatedTwilioUser extends Required<Omit<TwilioUserSeed, 'externalId'>> {
  externalId: string | null;
  /** `W/<revision>` is its version. */
  revision: number;
}

/** `applied`: did the request change anything? */
export type ScimAnswer = Answer & { applied?: boolean };

const schemas = (name: string) => ({ schemas: [`urn:ietf:params:scim:api:messages:2.0:${name}`] });

export function scimError(status: number, detail: string, more: { code?: number; scimType?: string } = {}): Answer {
  return { status, body: { ...schemas('Error'), detail, status: String(status), ...more } };
}

/** One request to `/Users` or `/Users/{id}`. */
export function answerUsers(users: Map<string, EmulatedTwilioUser>, request: Request, id: string | null): ScimAnswer {
  if (id === null) return request.method === 'GET' ? list(users, request.query.get('filter')) : notOffered(request);
  const user = users.get(id);
  if (user === undefined) return scimError(404, 'User not found', { code: 25008 });
  if (request.method === 'GET') return whole(user);
  if (request.method !== 'PATCH' && request.method !== 'DELETE') return notOffered(request);
  const expected = request.headers['if-match'];
  if (expected !== undefined && expected !== versionOf(user)) return scimError(412, 'Version mismatch');
  // The docs name the rule, not its status.
  if (user.isOwner) return scimError(403, 'Organization Owner cannot be updated');
  if (user.isSuspended) return scimError(403, 'Suspended user cannot be updated');
  if (request.method === 'DELETE') return { ...change(user, false), status: 204 };
  return patch(user, request.body);
}

function list(users: Map<string, EmulatedTwilioUser>, filter: string | null): Answer {
  const parts = filter === null ? null : /^(userName|externalId) eq ("(?:[^"\\]|\\.)*")$/i.exec(filter);
  if (filter !== null && parts === null) return scimError(400, 'Invalid filter', { scimType: 'invalidFilter' });
  const found = [...users.values()].filter((user) => {
    if (parts === null) return true;
    const value = String(JSON.parse(parts[2] ?? '""'));
    return parts[1]?.toLowerCase() === 'username'
      ? user.userName.toLowerCase() === value.toLowerCase()
      : user.externalId === value;
  });
  return {
    status: 200,
    body: { ...schemas('ListResponse'), totalResults: found.length, Resources: found.map(toBody) },
  };
}

/** Twilio ignores paths that it does not know, and still says 200. */
function patch(user: EmulatedTwilioUser, body: unknown): ScimAnswer {
  const { Operations } = (body ?? {}) as { Operations?: unknown };
  if (!Array.isArray(Operations)) return scimError(400, 'Operations is missing', { scimType: 'invalidSyntax' });
  const wanted = Operations.flatMap(({ op, path, value }: { op?: string; path?: string; value?: unknown }) => {
    if (!/^(add|replace)$/i.test(op ?? '')) return [];
    const active = path === undefined ? (value as { active?: unknown } | null)?.active : value;
    return (path === undefined || path.toLowerCase() === 'active') && typeof active === 'boolean' ? [active] : [];
  }).at(-1);
  const { applied } = wanted === undefined ? { applied: false } : change(user, wanted);
  return { ...whole(user), applied };
}

function change(user: EmulatedTwilioUser, active: boolean): { applied: boolean } {
  const applied = user.active !== active;
  if (applied) {
    user.active = active;
    user.revision += 1;
  }
  return { applied };
}

function whole(user: EmulatedTwilioUser): Answer {
  return { status: 200, body: toBody(user), headers: { etag: versionOf(user) } };
}

function toBody(user: EmulatedTwilioUser) {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    id: user.id,
    ...(user.externalId === null ? {} : { externalId: user.externalId }),
    userName: user.userName,
    displayName: user.userName.split('@')[0],
    emails: [{ primary: true, value: user.userName, type: 'work' }],
    active: user.active,
    meta: { resourceType: 'user', created: '2026-01-01T00:00:00Z', version: versionOf(user) },
  };
}

function versionOf({ revision }: EmulatedTwilioUser): string {
  return `W/${revision}`;
}

function notOffered({ method }: Request): Answer {
  return scimError(405, `${method} is not offered here`);
}
