import { inTurns } from '#shared/in-turns.js';
import { canonicalGroup } from '#shared/lifecycle/rules/grants.js';
import { DirectoryUnavailable } from '../directory.js';
import { isOf, parsed, type Tenant, unclear } from './person.js';
import { EntraObject } from './schema.js';

/** Who makes a second group of a name is seen after so long. */
const freshMs = 5 * 60_000;
const maxKept = 20_000;
const atOnce = 4;
/** Graph takes no more clauses in one filter, and no endless addresses. */
const maxClauses = 10;
const maxFilter = 1_500;

const idForm = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

interface Group {
  id: string;
  displayName: string;
}

/**
 * What the groups of a tenant may be called in grants: by their id always, by their display name while no other group has
 * it. Where users may make groups, anybody could name one like that which gives a role.
 */
export interface Groups {
  /** Those that somebody is in, nested ones included: ids, and the names that count. */
  of(directoryId: string): Promise<string[]>;
  /** Members by what each wanted group is called; null when they may not be listed: each person is then asked for. */
  membersOf(wanted: readonly string[]): Promise<Map<string, Set<string>> | null>;
  /** Ids of the groups that are called so. */
  called(wanted: string): Promise<string[]>;
}

export function createGroups(tenant: Tenant, now: () => number = Date.now): Groups {
  const { name, graph } = tenant;
  const kept = new Map<string, { ids: Set<string>; until: number }>();

  const ask = async (names: string[]): Promise<Map<string, Set<string>>> => {
    const found = new Map(names.map((one) => [one, new Set<string>()]));
    const filter = encodeURIComponent(names.map(clauseOf).join(' or '));
    for (const item of await graph.list(`/groups?$filter=${filter}&$select=id,displayName&$top=999`)) {
      const { id, displayName } = named(name, parsed(name, EntraObject, item));
      found.get(canonicalGroup(displayName))?.add(id.toLowerCase());
    }
    return found;
  };

  /** Ids by canonical name. A group that is not among those kept is newer than they are. */
  const idsByName = async (groups: Group[]): Promise<Map<string, Set<string>>> => {
    const result = new Map<string, Set<string>>();
    const missing = new Set<string>();
    for (const { id, displayName } of groups) {
      const key = canonicalGroup(displayName);
      const known = kept.get(key);
      if (known !== undefined && known.until > now() && known.ids.has(id.toLowerCase()))
        result.set(key, new Set(known.ids));
      else missing.add(key);
    }
    if (kept.size > maxKept) kept.clear();
    await inTurns(batchesOf(missing), atOnce, async (names) => {
      for (const [key, ids] of await ask(names)) {
        result.set(key, new Set(ids));
        kept.set(key, { ids, until: now() + freshMs });
      }
    });
    return result;
  };

  const called = async (wanted: string): Promise<string[]> => {
    const key = canonicalGroup(wanted);
    if (!idForm.test(key)) return [...((await ask([key])).get(key) ?? [])];
    return (await graph.get(`/groups/${key}?$select=id`)) === null ? [] : [key];
  };

  return {
    called,
    async of(directoryId) {
      const groups = await groupsOf(tenant, directoryId);
      const byName = await idsByName(groups.filter(({ displayName }) => !idForm.test(displayName.trim())));
      for (const { id, displayName } of groups) byName.get(canonicalGroup(displayName))?.add(id.toLowerCase());
      return groups.flatMap(({ id, displayName }) =>
        byName.get(canonicalGroup(displayName))?.size === 1 ? [id, displayName] : [id],
      );
    },
    async membersOf(wanted) {
      const members = new Map<string, Set<string>>();
      try {
        for (const group of wanted) {
          const ids = new Set<string>();
          const [id, ...others] = await called(group);
          if (id !== undefined && others.length === 0) {
            await addMembers(tenant, `/groups/${encodeURIComponent(id)}/transitiveMembers`, ids);
          }
          members.set(group, ids);
        }
        return members;
      } catch (error) {
        if (error instanceof DirectoryUnavailable) return null;
        throw error;
      }
    },
  };
}

export async function addMembers({ name, graph }: Tenant, path: string, into: Set<string>): Promise<void> {
  for await (const page of graph.pages(`${path}?$select=id&$top=999`)) {
    for (const item of page) {
      const member = parsed(name, EntraObject, item);
      if (isOf(member, 'user')) into.add(member.id.toLowerCase());
    }
  }
}

/** Nested ones included. Without a cast, which would be answered from an index that lags behind. */
async function groupsOf({ name, graph }: Tenant, id: string): Promise<Group[]> {
  const items = await graph.list(`/users/${encodeURIComponent(id)}/transitiveMemberOf?$select=id,displayName&$top=999`);
  const groups = items.map((item) => parsed(name, EntraObject, item)).filter((one) => isOf(one, 'group'));
  return groups.map((group) => named(name, group));
}

function named(name: string, { id, displayName }: EntraObject): Group {
  if (typeof displayName === 'string') return { id, displayName };
  // What may not be read comes as a bare id: a group that is passed over would take a grant away.
  throw unclear(name, 'it hides the names of groups (grant GroupMember.Read.All or Group.Read.All)');
}

/** Graph compares without case. */
function clauseOf(canonicalName: string): string {
  return `displayName eq '${canonicalName.replaceAll("'", "''")}'`;
}

function batchesOf(names: Iterable<string>): string[][] {
  const batches: string[][] = [];
  let length = 0;
  for (const name of names) {
    const own = encodeURIComponent(clauseOf(name)).length;
    const last = batches.at(-1);
    if (last !== undefined && last.length < maxClauses && length + own <= maxFilter) {
      last.push(name);
      length += own;
    } else {
      batches.push([name]);
      length = own;
    }
  }
  return batches;
}
