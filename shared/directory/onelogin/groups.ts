import type { OneLoginSource } from '#shared/config/sources/onelogin.js';
import { DirectoryUnavailable } from '../directory.js';
import type { OneLoginClient } from './client.js';
import { parsed } from './parsed.js';
import { Identified, Named, type OneLoginUser, RoleRef } from './schema.js';
import { unavailable } from './transport.js';

// What a company calls groups may be OneLogin's roles, of which a user has several, or its groups, of which one.

type GroupsFrom = OneLoginSource['groupsFrom'];

const rolesPath = '/api/2/roles?limit=100';
const groupsPath = '/api/1/groups?limit=50';

/** Names of the roles, the group, or both, that a user is in. */
export async function groupsOf(
  name: string,
  from: GroupsFrom,
  client: OneLoginClient,
  user: OneLoginUser,
): Promise<string[]> {
  const [roles, group] = await Promise.all([
    from === 'group' ? [] : rolesOf(name, client, user),
    from === 'roles' ? [] : groupOf(name, client, user),
  ]);
  return [...new Set([...roles, ...group])];
}

async function rolesOf(name: string, client: OneLoginClient, { id, role_ids }: OneLoginUser): Promise<string[]> {
  const refs = role_ids ?? (await listedRoles(name, client, id));
  const known = new Map<string, string>();
  if (refs.some((ref) => typeof ref === 'string')) {
    for (const role of await named(name, client, rolesPath)) known.set(role.id, role.name);
  }
  return refs.map((ref) => {
    const role = typeof ref === 'string' ? known.get(ref) : ref.name;
    if (role === undefined) throw unavailable(name, 'a user is in a role that it does not list');
    return role;
  });
}

/** For accounts whose users do not say which roles they have. */
async function listedRoles(name: string, client: OneLoginClient, id: string) {
  const items = await client.list(`/api/2/users/${encodeURIComponent(id)}/roles`);
  // Version 1 wraps the ids twice; some accounts may still.
  return items.flat().map((item) => parsed(name, RoleRef, item));
}

async function groupOf(name: string, client: OneLoginClient, { group_id }: OneLoginUser): Promise<string[]> {
  if (group_id == null) return [];
  const group = (await named(name, client, groupsPath)).find(({ id }) => id === group_id);
  if (group === undefined) throw unavailable(name, 'a user is in a group that it does not list');
  return [group.name];
}

/**
 * Says of a listed user whether they are in a group of the configuration.
 * @returns null when the credentials may not list members: each person is then asked for by themselves
 */
export async function membersOf(
  name: string,
  from: GroupsFrom,
  client: OneLoginClient,
  groups: readonly string[],
): Promise<((user: OneLoginUser, group: string) => boolean) | null> {
  try {
    const byRole = from === 'group' ? new Map<string, Set<string>>() : await roleMembers(name, client, groups);
    const groupNames = new Map<string, string>();
    if (from !== 'roles') {
      for (const group of await named(name, client, groupsPath)) groupNames.set(group.id, plain(group.name));
    }
    return ({ id, group_id }, group) =>
      byRole.get(plain(group))?.has(id) === true || (group_id != null && groupNames.get(group_id) === plain(group));
  } catch (error) {
    if (error instanceof DirectoryUnavailable) return null;
    throw error;
  }
}

async function roleMembers(
  name: string,
  client: OneLoginClient,
  groups: readonly string[],
): Promise<Map<string, Set<string>>> {
  const wanted = new Set(groups.map(plain));
  const members = new Map<string, Set<string>>();
  if (wanted.size === 0) return members;
  for (const role of await named(name, client, rolesPath)) {
    const key = plain(role.name);
    if (!wanted.has(key)) continue;
    const ids = members.get(key) ?? new Set<string>();
    for await (const page of client.pages(`/api/2/roles/${role.id}/users?limit=50`)) {
      for (const one of page) ids.add(parsed(name, Identified, one).id);
    }
    members.set(key, ids);
  }
  return members;
}

async function named(name: string, client: OneLoginClient, path: string) {
  return (await client.list(path)).map((one) => parsed(name, Named, one));
}

/** The form in which names of groups are compared. */
function plain(group: string): string {
  return group.trim().toLowerCase();
}
