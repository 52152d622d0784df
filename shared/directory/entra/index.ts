import type { EntraSource } from '#shared/config/sources/entra.js';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { DirectoryPerson } from '#shared/lifecycle/types.js';
import type { Directory, ListedPerson } from '../directory.js';
import { type Ask, createGraphClient, graphStatus } from './client.js';
import { doctor } from './doctor.js';
import { addMembers, createGroups, type Groups } from './groups.js';
import { emailsOf, holds, isUser, parsed, person, standingOf, type Tenant, unclear } from './person.js';
import { EntraApp, EntraAssignment, EntraObject, EntraUser } from './schema.js';

/** accountEnabled comes only when it is selected (idp-events.md §2.4). */
const userFields =
  'id,accountEnabled,userPrincipalName,mail,otherMails,proxyAddresses,givenName,surname,userType,department,jobTitle,companyName,employeeId,deletedDateTime';
const managerFields = 'id,mail,userPrincipalName,accountEnabled';
const listFields = 'id,accountEnabled,userPrincipalName,mail,otherMails,proxyAddresses,givenName,surname';
const binFields = `${listFields},deletedDateTime`;
const bin = '/directory/deletedItems';

/** Microsoft Entra ID as the truth about people. */
export function createEntraDirectory(
  name: string,
  config: EntraSource,
  graph = createGraphClient(name, config),
): Directory {
  const tenant: Tenant = { name, config, graph };
  const groups = createGroups(tenant);
  return {
    name,
    read: (directoryId) => read(tenant, groups, directoryId),
    findByEmail: (email) => findByEmail(tenant, canonicalAddress(email)),
    async groupsLeft(directoryId) {
      try {
        return await groups.of(directoryId);
      } catch (error) {
        // The deleted keep their groups until they are restored, but nobody is shown them.
        if (graphStatus(error).status === 404) return [];
        throw error;
      }
    },
    list: (wanted) => list(tenant, groups, wanted),
    doctor: (wanted = []) => doctor(tenant, groups, wanted),
  };
}

/** idp-events.md §2.4: live, else in the recycle bin, else nowhere in a directory that answers. */
async function read(tenant: Tenant, groups: Groups, directoryId: string): ReturnType<Directory['read']> {
  const { name, graph } = tenant;
  const id = encodeURIComponent(directoryId);
  const live = await graph.get(`/users/${id}?$select=${userFields}&$expand=manager($select=${managerFields})`);
  if (live !== null) return { kind: 'found', person: await toPerson(tenant, groups, sameId(name, live, directoryId)) };
  const inBin = await graph.get(`${bin}/${id}`);
  if (inBin !== null && isUser(inBin)) {
    const user = await withAliases(tenant, sameId(name, inBin, directoryId));
    return { kind: 'found', person: person(user, 'inactive', { groups: [], assigned: null }) };
  }
  // Proves that "not found" is about the person and not about the directory or something in between.
  if ((await graph.page('/users?$select=id&$top=1')).items.length === 0) {
    throw unclear(name, 'it knows nobody at all, so "not found" proves nothing');
  }
  return { kind: 'not-found' };
}

/** An account by its principal name would answer too, if an id were one. */
function sameId(name: string, body: unknown, directoryId: string): EntraUser {
  const user = parsed(name, EntraUser, body);
  if (user.id.toLowerCase() === directoryId.toLowerCase()) return { ...user, id: directoryId };
  throw unclear(name, 'it answered with another person than was asked for');
}

/** One item of the bin comes without the addresses beyond the main one; its list has them where they are selected. */
async function withAliases(tenant: Tenant, user: EntraUser): Promise<EntraUser> {
  const listed = await deleted(tenant, `id eq ${quote(user.id)}`);
  const same = listed.find(({ id }) => id.toLowerCase() === user.id.toLowerCase());
  return { ...user, ...same, id: user.id };
}

async function toPerson(tenant: Tenant, groups: Groups, user: EntraUser): Promise<DirectoryPerson> {
  const standing = standingOf(tenant, user);
  // Blocking a sign-in keeps groups and assignments, so they say nothing about who is not active.
  if (standing !== 'active') return person(user, standing, { groups: [], assigned: null });
  const [memberOf, assigned] = await Promise.all([groups.of(user.id), assignment(tenant, user.id)]);
  return person(user, standing, { groups: memberOf, assigned });
}

interface Assigned {
  users: Set<string>;
  groups: Set<string>;
}

async function assignedTo({ name, graph }: Tenant, app: string): Promise<Assigned> {
  const items = await graph.list(`/servicePrincipals/${app}/appRoleAssignedTo?$top=999`);
  const assigned: Assigned = { users: new Set(), groups: new Set() };
  for (const item of items) {
    const { principalId, principalType } = parsed(name, EntraAssignment, item);
    if (principalType === 'User') assigned.users.add(principalId.toLowerCase());
    if (principalType === 'Group') assigned.groups.add(principalId.toLowerCase());
  }
  return assigned;
}

/**
 * By name, or by a group that they are in themselves: an assignment does not reach into nested groups.
 * @returns null when no app is configured
 */
async function assignment(tenant: Tenant, id: string): Promise<boolean | null> {
  const { name, config, graph } = tenant;
  if (config.app === undefined) return null;
  const { users, groups } = await assignedTo(tenant, config.app);
  if (users.has(id.toLowerCase())) return true;
  if (groups.size > 0) {
    const direct = await graph.list(`/users/${encodeURIComponent(id)}/memberOf?$select=id&$top=999`);
    if (direct.some((item) => groups.has(parsed(name, EntraObject, item).id.toLowerCase()))) return true;
  }
  // Nobody is assigned to an app that is not in use, which says nothing about anybody.
  const app = await graph.get(`/servicePrincipals/${config.app}?$select=id,accountEnabled`);
  if (app === null) throw unclear(name, `the enterprise application ${config.app} does not exist there`);
  if (parsed(name, EntraApp, app).accountEnabled === false) {
    throw unclear(name, `the enterprise application ${config.app} is disabled`);
  }
  return false;
}

async function findByEmail(tenant: Tenant, address: string): Promise<DirectoryPerson[]> {
  const { name, graph } = tenant;
  const quoted = quote(address);
  const held = `mail eq ${quoted} or otherMails/any(m:m eq ${quoted}) or proxyAddresses/any(p:p eq 'smtp:${quoted.slice(1)})`;
  const found = await search(tenant, `/users`, `${held} or userPrincipalName eq ${quoted}`, listFields, {
    eventual: true,
  });
  const users = new Map(found.map((user) => [user.id, user]));
  // The index lags behind; the principal name does not.
  const named = await graph.get(`/users/${encodeURIComponent(address)}?$select=${listFields}`);
  if (named !== null) {
    const user = parsed(name, EntraUser, named);
    users.set(user.id, user);
  }
  const live = [...users.values()].filter((user) => holds(user, address));
  // Whoever was deleted gave the address up to them.
  const wasNamed = `endsWith(userPrincipalName,${quoted})`;
  const holders =
    live.length > 0
      ? live
      : (await deleted(tenant, `${held} or ${wasNamed}`, { eventual: true })).filter((user) => holds(user, address));
  return holders.map((user) => person(user, standingOf(tenant, user), { groups: [], assigned: null }));
}

async function deleted(tenant: Tenant, filter: string, ask: Ask = {}): Promise<EntraUser[]> {
  const path = `${bin}/microsoft.graph.user`;
  const gone = (user: EntraUser) => ({ ...user, deletedDateTime: user.deletedDateTime ?? '' });
  try {
    return (await search(tenant, path, filter, binFields, ask)).map(gone);
  } catch (error) {
    // Which filters the bin takes is not documented; its whole list always works.
    if (graphStatus(error).status !== 400) throw error;
    const items = await tenant.graph.list(`${path}?$select=${binFields}&$top=999`);
    return items.map((item) => gone(parsed(tenant.name, EntraUser, item)));
  }
}

async function search(
  { name, graph }: Tenant,
  path: string,
  filter: string,
  fields: string,
  ask: Ask,
): Promise<EntraUser[]> {
  const count = ask.eventual === true ? '$count=true&' : '';
  const items = await graph.list(
    `${path}?${count}$filter=${encodeURIComponent(filter)}&$select=${fields}&$top=999`,
    ask,
  );
  return items.map((item) => parsed(name, EntraUser, item));
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The list leaves out the deleted: whoever is missing is looked up by themselves. */
async function* list(tenant: Tenant, groups: Groups, wanted: readonly string[]): AsyncGenerator<ListedPerson[]> {
  const { name, config, graph } = tenant;
  const assigned = config.app === undefined ? null : await allAssigned(tenant, config.app);
  const members = await groups.membersOf(wanted);
  for await (const page of graph.pages(`/users?$select=${listFields}&$top=999`)) {
    yield page.map((item) => {
      const user = parsed(name, EntraUser, item);
      const id = user.id.toLowerCase();
      return {
        directoryId: user.id,
        standing: standingOf(tenant, user),
        emails: emailsOf(user),
        assigned: assigned === null ? null : assigned.has(id),
        groups: members === null ? null : wanted.filter((group) => members.get(group)?.has(id)),
      };
    });
  }
}

/** @returns null when a group is assigned that is there no longer: each person is then asked for by themselves */
async function allAssigned(tenant: Tenant, app: string): Promise<Set<string> | null> {
  const { users, groups } = await assignedTo(tenant, app);
  try {
    for (const group of groups) await addMembers(tenant, `/groups/${group}/members`, users);
    return users;
  } catch (error) {
    if (graphStatus(error).status === 404) return null;
    throw error;
  }
}
