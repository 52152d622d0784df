import type { Answer, Request } from '../http.js';
import { filterOf, graphError, notFound, pageOf, selected } from './answers.js';
import type { EmulatedUser, Tenant } from './tenant.js';

/** What Graph gives when nothing is selected: accountEnabled is not among it. */
const userDefaults = ['userPrincipalName', 'mail', 'givenName', 'surname', 'displayName', 'jobTitle'];

export interface DirectoryQuirks {
  /** The recycle bin refuses filters. */
  plainBin: boolean;
  /** Lists hide what the app may not read: bare ids. */
  hideGroupNames: boolean;
}

/** The reads of users, groups, the recycle bin and enterprise applications. */
export function directoryRoute(request: Request, tenant: Tenant, url: string, quirks: DirectoryQuirks): Answer | null {
  const [, , noun, id, sub] = request.path.split('/').map(decodeURIComponent);
  if (request.method !== 'GET') return null;
  if (noun === 'users')
    return id === undefined ? listUsers(request, tenant, url) : userRoute(request, tenant, url, id, sub, quirks);
  if (noun === 'groups') return groupsRoute(request, tenant, url, id, sub);
  if (noun === 'directory' && id === 'deletedItems') return binRoute(request, tenant, url, sub, quirks);
  if (noun === 'servicePrincipals' && id !== undefined) return appRoute(request, tenant, url, id, sub);
  return null;
}

function live({ users }: Tenant): EmulatedUser[] {
  return [...users.values()].filter(({ deletedDateTime }) => deletedDateTime === null);
}

function listUsers(request: Request, tenant: Tenant, url: string): Answer {
  const fits = filterOf(request);
  if (fits === null) return unsupported();
  return pageOf(
    request,
    url,
    live(tenant).filter((user) => fits({ ...user })),
    (user) => shown(user, request),
  );
}

function shown(user: EmulatedUser, request: Request): Record<string, unknown> {
  return selected({ ...user }, request.query.get('$select'), userDefaults);
}

function userRoute(
  request: Request,
  tenant: Tenant,
  url: string,
  id: string,
  sub: string | undefined,
  { hideGroupNames }: DirectoryQuirks,
): Answer {
  const wanted = id.toLowerCase();
  const user = live(tenant).find((one) => one.id === wanted || one.userPrincipalName.toLowerCase() === wanted);
  if (user === undefined) return notFound(id);
  if (sub === 'memberOf' || sub === 'transitiveMemberOf') {
    const roles = [{ '@odata.type': '#microsoft.graph.directoryRole', id: 'role-1', displayName: 'Global Reader' }];
    const groups = tenant.groupsOf(user.id, sub === 'transitiveMemberOf').map((group) => ({
      '@odata.type': '#microsoft.graph.group',
      id: group.id,
      displayName: hideGroupNames ? null : group.displayName,
    }));
    return pageOf(request, url, [...roles, ...groups], (one) =>
      selected(one, request.query.get('$select'), ['displayName']),
    );
  }
  const manager = /manager/.test(request.query.get('$expand') ?? '')
    ? tenant.users.get(user.managerId ?? '')
    : undefined;
  const about =
    manager === undefined
      ? {}
      : { manager: { id: manager.id, mail: manager.mail, userPrincipalName: manager.userPrincipalName } };
  return { status: 200, body: { ...shown(user, request), ...about } };
}

function groupsRoute(
  request: Request,
  tenant: Tenant,
  url: string,
  id: string | undefined,
  sub: string | undefined,
): Answer {
  if (id === undefined) {
    const fits = filterOf(request);
    if (fits === null) return unsupported();
    const found = [...tenant.groups.values()].filter((group) => fits({ ...group }));
    return pageOf(request, url, found, ({ id: groupId, displayName }) => ({ id: groupId, displayName }));
  }
  const group = tenant.groups.get(id);
  if (group === undefined) return notFound(id);
  if (sub === undefined) return { status: 200, body: { id, displayName: group.displayName } };
  const members = tenant.membersOf(id, sub === 'transitiveMembers');
  return pageOf(request, url, members, (member) => ({
    '@odata.type': `#microsoft.graph.${tenant.groups.has(member) ? 'group' : 'user'}`,
    id: member,
  }));
}

/** Thirty days of deleted users; addresses beyond the main ones only in the list, where they can be selected. */
function binRoute(
  request: Request,
  tenant: Tenant,
  url: string,
  sub: string | undefined,
  { plainBin }: DirectoryQuirks,
): Answer {
  const bin = [...tenant.users.values()].filter(({ deletedDateTime }) => deletedDateTime !== null);
  if (sub === 'microsoft.graph.user') {
    const fits = filterOf(request);
    if (fits === null || (plainBin && request.query.has('$filter'))) return unsupported();
    return pageOf(
      request,
      url,
      bin.filter((user) => fits({ ...user })),
      (user) => shown(user, request),
    );
  }
  const user = bin.find((one) => one.id === sub);
  if (user === undefined) return notFound(sub ?? '');
  return {
    status: 200,
    body: { '@odata.type': '#microsoft.graph.user', ...selected({ ...user }, null, userDefaults) },
  };
}

function appRoute(request: Request, { apps }: Tenant, url: string, id: string, sub: string | undefined): Answer {
  const app = apps.get(id);
  if (app === undefined) return notFound(id);
  if (sub === undefined) return { status: 200, body: { id, accountEnabled: app.accountEnabled } };
  return pageOf(request, url, app.assigned, (one) => ({ id: `a-${one.principalId}`, resourceId: id, ...one }));
}

function unsupported(): Answer {
  return graphError(400, 'Request_UnsupportedQuery', 'Unsupported or invalid query filter clause specified.');
}
