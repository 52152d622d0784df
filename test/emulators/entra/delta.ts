import type { Answer, Request } from '../http.js';
import { graphError, selected } from './answers.js';
import type { Change, Tenant } from './tenant.js';

/** Objects on a page of the delta query. */
const pageSize = 4;

export interface DeltaState {
  /** Places below are no longer known: 410. */
  oldest: number;
}

/**
 * `/users/delta` and `/groups/delta`. A place is how far the record of changes was read; an object that changed several
 * times is told once, a large group's members on several pages, and order means nothing.
 */
export function deltaRoute(request: Request, tenant: Tenant, url: string, state: DeltaState): Answer | null {
  const [, about] = /^\/v1\.0\/(users|groups)\/delta$/.exec(request.path) ?? [];
  if (request.method !== 'GET' || (about !== 'users' && about !== 'groups')) return null;
  const { query } = request;
  for (const refused of ['$expand', '$top', '$orderby']) {
    if (query.has(refused)) return graphError(400, 'Request_UnsupportedQuery', `${refused} is not supported`);
  }
  const select = query.get('$select') ?? selectIn(query);
  const token = query.get('$deltatoken');
  const now = tenant.changes.length;
  const link = (name: string, at: string) =>
    `${url}/v1.0/${about}/delta?${name}=${encodeURIComponent(`${at}~${select ?? ''}`)}`;
  if (token === 'latest') return page([], { '@odata.deltaLink': link('$deltatoken', String(now)) }, url);

  const [place = ''] = (token ?? query.get('$skiptoken') ?? '0').split('~');
  // Where the round began, how far it goes, and what of it was told.
  const [from = 0, to = now, told = 0] = place.split('.').map(Number);
  if (token !== null && from < state.oldest) {
    const location = `${url}/v1.0/${about}/delta?$deltatoken=&$select=${select}`;
    return graphError(410, 'syncStateNotFound', 'The sync state generation is not found.', { location });
  }
  const objects = objectsOf(tenant, about, tenant.changes.slice(from, to), select);
  const more = told + pageSize < objects.length;
  const next = more
    ? { '@odata.nextLink': link('$skiptoken', `${from}.${to}.${told + pageSize}`) }
    : { '@odata.deltaLink': link('$deltatoken', String(to)) };
  return page(objects.slice(told, told + pageSize), next, url);
}

function selectIn(query: URLSearchParams): string | null {
  const [, select] = (query.get('$deltatoken') ?? query.get('$skiptoken') ?? '').split('~');
  return select === undefined || select === '' ? null : select;
}

function page(value: unknown[], links: Record<string, string>, url: string): Answer {
  return { status: 200, body: { '@odata.context': `${url}/v1.0/$metadata`, ...links, value } };
}

function objectsOf(tenant: Tenant, about: 'users' | 'groups', changes: Change[], select: string | null): unknown[] {
  const own = changes.filter((change) => change.about === about);
  if (about === 'users') return [...new Set(own.map(({ id }) => id))].map((id) => userObject(tenant, id, select));
  return own.map((change) => groupObject(tenant, change, select));
}

function userObject({ users }: Tenant, id: string, select: string | null): unknown {
  const user = users.get(id);
  if (user === undefined) return { id, '@removed': { reason: 'deleted' } };
  if (user.deletedDateTime !== null) return { id, '@removed': { reason: 'changed' } };
  return selected({ ...user }, select, ['userPrincipalName', 'mail']);
}

function groupObject({ groups }: Tenant, { id, members }: Change, select: string | null): unknown {
  const group = groups.get(id);
  if (group === undefined) return { id, '@removed': { reason: 'deleted' } };
  const told = members.map((member) => ({
    '@odata.type': `#microsoft.graph.${member.type}`,
    id: member.id,
    ...(member.removed ? { '@removed': { reason: 'deleted' } } : {}),
  }));
  const isWanted = told.length > 0 && (select === null || select.split(',').includes('members'));
  return {
    ...selected({ id, displayName: group.displayName }, select, ['displayName']),
    ...(isWanted ? { 'members@delta': told } : {}),
  };
}
