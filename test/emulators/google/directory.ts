import type { Answer, Request } from '../http.js';
import {
  addressesOf,
  type EmulatedGroup,
  type EmulatedUser,
  type GoogleWorld,
  googleError,
  groupAt,
  notFound,
  pageOf,
  userAt,
} from './world.js';

/** `/admin/directory/v1/users` */
export function listUsers({ query }: Request, world: GoogleWorld): Answer {
  const bad = wrongScope(query, world);
  if (bad !== null) return bad;
  const deleted = query.get('showDeleted') === 'true';
  const wanted = /^email='(.*)'$/.exec(query.get('query') ?? '')?.[1]?.replace(/\\(.)/g, '$1');
  if (query.has('query') && wanted === undefined) return googleError(400, 'invalid', 'Invalid Input: query');
  const domain = query.get('domain');
  const users = [...world.users.values()].filter(
    (user) =>
      (user.deletionTime !== null) === deleted &&
      (wanted === undefined || addressesOf(user).includes(wanted.toLowerCase())) &&
      (domain === null || user.primaryEmail.endsWith(`@${domain}`)),
  );
  return pageOf(world, query, users, { kind: 'admin#directory#users', key: 'users', longest: 500, body: userBody });
}

/** An address of another company's domain is not "not found" but "forbidden". */
export function getUser(key: string, world: GoogleWorld): Answer {
  const user = userAt(world, key);
  if (user !== undefined) return { status: 200, body: userBody(user) };
  if (key.includes('@') && !key.toLowerCase().endsWith(`@${world.domain}`)) {
    return googleError(403, 'forbidden', 'Not Authorized to access this resource/api');
  }
  return notFound('userKey');
}

/** `/admin/directory/v1/groups`: all of the customer, or those that a user or group is a direct member of. */
export function listGroups({ query }: Request, world: GoogleWorld): Answer {
  const userKey = query.get('userKey');
  const all = [...world.groups.values()];
  const page = { kind: 'admin#directory#groups', key: 'groups', longest: 200, body: groupBody };
  if (userKey !== null) {
    const member = userAt(world, userKey)?.id ?? groupAt(world, userKey)?.id;
    if (member === undefined) return notFound('userKey');
    return pageOf(
      world,
      query,
      all.filter(({ members }) => members.has(member)),
      page,
    );
  }
  const bad = wrongScope(query, world);
  if (bad !== null) return bad;
  const [, field, value] = /^(name|email)='(.*)'$/.exec(query.get('query') ?? '') ?? [];
  const wanted = value?.replace(/\\(.)/g, '$1').toLowerCase();
  const fitting = all.filter(
    (group) => wanted === undefined || (field === 'name' ? group.name : group.email).toLowerCase() === wanted,
  );
  return pageOf(world, query, fitting, page);
}

/** `/admin/directory/v1/groups/<key>/members`; with derived membership, nested groups are resolved. */
export function listMembers(key: string, { query }: Request, world: GoogleWorld): Answer {
  const group = groupAt(world, key);
  if (group === undefined) return notFound('groupKey');
  const derived = query.get('includeDerivedMembership') === 'true';
  const members = derived ? [...derivedMembers(group, world, new Set())] : [...group.members];
  const bodies = members.map((id) => {
    const user = world.users.get(id);
    const type = user === undefined ? 'GROUP' : 'USER';
    const email = user?.primaryEmail ?? world.groups.get(id)?.email;
    return { kind: 'admin#directory#member', id, email, role: 'MEMBER', type, status: 'ACTIVE' } as object;
  });
  if (group.isEverybody) bodies.push({ kind: 'admin#directory#member', id: world.customer, type: 'CUSTOMER' });
  return pageOf(world, query, bodies, {
    kind: 'admin#directory#members',
    key: 'members',
    longest: 200,
    body: (member) => member,
  });
}

function derivedMembers(group: EmulatedGroup, world: GoogleWorld, seen: Set<string>): Set<string> {
  for (const id of group.members) {
    if (seen.has(id)) continue;
    seen.add(id);
    const nested = world.groups.get(id);
    if (nested !== undefined) derivedMembers(nested, world, seen);
  }
  return seen;
}

export function wrongScope(query: URLSearchParams, { customer, domain }: GoogleWorld): Answer | null {
  const asked = query.get('customer');
  if (asked === null && query.get('domain') === null) return googleError(400, 'badRequest', 'Bad Request');
  const isOurs = asked === null ? query.get('domain') === domain : ['my_customer', customer].includes(asked);
  return isOurs ? null : googleError(403, 'forbidden', 'Not Authorized to access this resource/api');
}

function userBody(user: EmulatedUser) {
  const { id, primaryEmail, aliases, nonEditableAliases, suspended, archived } = user;
  return {
    kind: 'admin#directory#user',
    id,
    etag: '"etag"',
    primaryEmail,
    name: { givenName: user.givenName, familyName: user.familyName, fullName: `${user.givenName} ${user.familyName}` },
    isAdmin: false,
    suspended,
    ...(suspended ? { suspensionReason: user.suspensionReason ?? 'ADMIN' } : {}),
    archived,
    orgUnitPath: '/',
    ...(user.deletionTime === null ? {} : { deletionTime: user.deletionTime }),
    ...(aliases.length === 0 ? {} : { aliases }),
    ...(nonEditableAliases.length === 0 ? {} : { nonEditableAliases }),
    ...(user.manager === null ? {} : { relations: [{ value: user.manager, type: 'manager' }] }),
    emails: [
      { address: primaryEmail, primary: true },
      ...(user.recoveryEmail === null ? [] : [{ address: user.recoveryEmail, type: 'home' }]),
    ],
    ...(user.recoveryEmail === null ? {} : { recoveryEmail: user.recoveryEmail }),
  };
}

function groupBody({ id, email, name, adminCreated, members }: EmulatedGroup) {
  return { kind: 'admin#directory#group', id, email, name, adminCreated, directMembersCount: String(members.size) };
}
