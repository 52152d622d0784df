import type { Answer, Request } from '../http.js';
import { missing, pageOf } from './answers.js';

// People, groups and apps, as Okta's API gives them (idp-events.md §1.6).

export interface OktaUserSeed {
  id: string;
  email: string;
  login?: string;
  secondEmail?: string;
  firstName?: string;
  lastName?: string;
  managerId?: string;
  /** Whom the linked object `manager` names. */
  linkedManager?: string;
  status?: string;
}

export interface EmulatedUser extends Required<Pick<OktaUserSeed, 'id' | 'email' | 'login'>> {
  status: string;
  transitioningToStatus: string | null;
  linkedManager: string | null;
  profile: Record<string, string | null>;
  groups: Set<string>;
  apps: Set<string>;
}

export interface Directory {
  users: Map<string, EmulatedUser>;
  apps: Set<string>;
  inactiveApps: Set<string>;
  appChangedAt: Map<string, Date>;
  url: string;
}

export function directoryRoute(
  request: Request,
  world: Directory,
  [noun, id, sub, subId]: (string | undefined)[],
): Answer {
  if (noun === 'users') return usersRoute(request, world, id, sub);
  if (noun === 'groups') return groupsRoute(request, world, id, sub);
  if (noun === 'apps' && id !== undefined) return appsRoute(request, world, id, sub, subId);
  return missing(request.path);
}

function usersRoute(request: Request, world: Directory, id: string | undefined, sub: string | undefined): Answer {
  if (id === undefined) return listUsers(request, world);
  if (id === 'me')
    return { status: 200, body: { id: '00u-token-owner', status: 'ACTIVE', profile: { login: 'admin@acme.com' } } };
  const user =
    world.users.get(id) ?? [...world.users.values()].find((one) => one.login.toLowerCase() === id.toLowerCase());
  if (user === undefined) return missing(`${id} (User)`);
  if (sub === undefined) return { status: 200, body: toBody(user, world.url) };
  if (sub === 'groups')
    return { status: 200, body: [...user.groups].map((name) => ({ id: `00g-${name}`, profile: { name } })) };
  if (sub === 'linkedObjects') {
    const { linkedManager: manager } = user;
    const links = manager === null ? [] : [{ _links: { self: { href: `${world.url}/api/v1/users/${manager}` } } }];
    return { status: 200, body: links };
  }
  return missing(sub);
}

/** Without `search` or `filter` the deactivated are left out; paging goes by Link (idp-events.md §1.6). */
function listUsers(request: Request, { users, url }: Directory): Answer {
  const { query } = request;
  const expression = query.get('search') ?? query.get('filter');
  const wanted = expression === null ? null : [...expression.matchAll(/profile\.(\w+) eq "((?:[^"\\]|\\.)*)"/g)];
  const fitting = [...users.values()].filter((user) =>
    wanted === null
      ? user.status !== 'DEPROVISIONED'
      : wanted.some(
          ([, field, value]) => user.profile[field ?? '']?.toLowerCase() === JSON.parse(`"${value}"`).toLowerCase(),
        ),
  );
  return pageOf(request, url, fitting, (user) => toBody(user, url));
}

/** A group is whatever a user is said to be in; its id is its name. */
function groupsRoute(request: Request, world: Directory, id: string | undefined, sub: string | undefined): Answer {
  const all = [...world.users.values()];
  if (id === undefined) {
    const begin = (request.query.get('q') ?? '').toLowerCase();
    const names = [...new Set(all.flatMap((user) => [...user.groups]))].filter((name) =>
      name.toLowerCase().startsWith(begin),
    );
    return { status: 200, body: names.map((name) => ({ id: `00g-${name}`, profile: { name } })) };
  }
  if (sub !== 'users') return missing(request.path);
  return pageOf(
    request,
    world.url,
    all.filter((user) => user.groups.has(id.slice('00g-'.length))),
    (user) => toBody(user, world.url),
  );
}

function appsRoute(
  request: Request,
  world: Directory,
  id: string,
  sub: string | undefined,
  userId: string | undefined,
): Answer {
  const { apps, inactiveApps, appChangedAt, users, url } = world;
  if (!apps.has(id)) return missing(`${id} (AppInstance)`);
  const appUser = (user: EmulatedUser) => {
    // Deactivating the app ends its assignments; the records stay.
    const status = inactiveApps.has(id) ? 'INACTIVE' : 'ACTIVE';
    return { id: user.id, scope: 'USER', status, credentials: { userName: user.email } };
  };
  if (sub === 'users' && userId === undefined) {
    return pageOf(
      request,
      url,
      [...users.values()].filter((user) => user.apps.has(id)),
      appUser,
    );
  }
  if (sub === undefined) {
    const lastUpdated = appChangedAt.get(id)?.toISOString();
    const status = inactiveApps.has(id) ? 'INACTIVE' : 'ACTIVE';
    return { status: 200, body: { id, name: 'sendgrid', status, ...(lastUpdated ? { lastUpdated } : {}) } };
  }
  const user = users.get(userId ?? '');
  if (user === undefined || !user.apps.has(id)) return missing(`${userId} (AppUser)`);
  return { status: 200, body: appUser(user) };
}

function toBody({ id, status, transitioningToStatus, profile }: EmulatedUser, url: string) {
  return {
    id,
    status,
    created: '2024-01-01T00:00:00.000Z',
    ...(transitioningToStatus === null ? {} : { transitioningToStatus }),
    profile,
    // The SDK's cache keys on this link, which is what makes it dangerous.
    _links: { self: { href: `${url}/api/v1/users/${id}` } },
  };
}

export function toUser(seed: OktaUserSeed): EmulatedUser {
  const { id, email, login = email } = seed;
  return {
    id,
    email,
    login,
    status: seed.status ?? 'ACTIVE',
    transitioningToStatus: null,
    linkedManager: seed.linkedManager ?? null,
    profile: {
      login,
      email,
      secondEmail: seed.secondEmail ?? null,
      firstName: seed.firstName ?? 'Some',
      lastName: seed.lastName ?? 'One',
      managerId: seed.managerId ?? null,
    },
    groups: new Set(),
    apps: new Set(),
  };
}
