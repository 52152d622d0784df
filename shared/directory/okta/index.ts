import type { OktaSource } from '#shared/config/sources/okta.js';
import { canonicalAddress, isAddress } from '#shared/lifecycle/address.js';
import type { DirectoryPerson, PersonRef, Standing } from '#shared/lifecycle/types.js';
import { type Directory, DirectoryUnavailable, type ListedPerson } from '../directory.js';
import { createOktaClient, type OktaClient } from './client.js';
import { doctor } from './doctor.js';
import { OktaApp, OktaAppUser, OktaGroup, OktaUser } from './schema.js';

/** An assignment in one of these states gives no access (idp-events.md §1.6). */
const unassignedStates = new Set(['DEPROVISIONED', 'INACTIVE', 'REVOKED', 'SUSPENDED', 'UNASSIGNED']);

/** Okta as the truth about people. */
export function createOktaDirectory(
  name: string,
  config: OktaSource,
  client = createOktaClient(name, config),
): Directory {
  const read = async (id: string): Promise<OktaUser | null> => {
    const body = await client.get(`/api/v1/users/${encodeURIComponent(id)}`);
    return body === null ? null : parsed(name, OktaUser, body);
  };

  return {
    name,
    async read(directoryId) {
      const user = await read(directoryId);
      if (user === null) {
        await control(name, client);
        return { kind: 'not-found' };
      }
      if (user.id !== directoryId) throw unclear(name, 'it answered with another person than was asked for');
      return { kind: 'found', person: await toPerson(name, config, client, user) };
    },
    async findByEmail(email) {
      const address = canonicalAddress(email);
      const users = new Map((await search(name, client, address)).map((user) => [user.id, user]));
      // The search index lags behind; the login does not.
      const byLogin = await read(address);
      if (byLogin !== null) users.set(byLogin.id, byLogin);
      const holders = [...users.values()].filter((user) =>
        emailsOf(user).some((one) => canonicalAddress(one) === address),
      );
      return holders.map((user) => person(user, { groups: [], assigned: null, manager: null }));
    },
    // Deactivation does not take anybody out of a group.
    groupsLeft: (directoryId) => groupsOf(name, client, directoryId),
    list: (groups) => list(name, config, client, groups),
    doctor: () => doctor(name, config),
  };
}

async function toPerson(
  name: string,
  config: OktaSource,
  client: OktaClient,
  user: OktaUser,
): Promise<DirectoryPerson> {
  const manager = managerOf(user) ?? (await linkedManager(client, user.id));
  // Suspending keeps groups and assignments, so they say nothing about who is not active (idp-events.md §1.6).
  if (standingOf(user) !== 'active') return person(user, { groups: [], assigned: null, manager });
  const [groups, assigned] = await Promise.all([
    groupsOf(name, client, user.id),
    assignment(name, config, client, user.id),
  ]);
  return person(user, { groups, assigned, manager });
}

function person(user: OktaUser, more: Pick<DirectoryPerson, 'groups' | 'assigned' | 'manager'>): DirectoryPerson {
  return {
    directoryId: user.id,
    standing: standingOf(user),
    emails: emailsOf(user),
    firstName: user.profile.firstName ?? null,
    lastName: user.profile.lastName ?? null,
    ...more,
  };
}

/** Deactivation takes a while: until it is through, only `transitioningToStatus` tells (idp-events.md §1.6). */
function standingOf({ status, transitioningToStatus }: OktaUser): Standing {
  const effective = transitioningToStatus ?? status;
  if (effective === 'DEPROVISIONED') return 'inactive';
  return effective === 'SUSPENDED' ? 'suspended' : 'active';
}

function emailsOf({ profile }: OktaUser): string[] {
  const all = [profile.email, profile.login, profile.secondEmail].filter(
    (one): one is string => typeof one === 'string' && isAddress(one),
  );
  return [...new Map(all.map((one) => [canonicalAddress(one), one])).values()];
}

/** design.md, small print "Okta's manager": an id, login or address, as each company fills it. */
function managerOf({ profile }: OktaUser): PersonRef | null {
  const value = profile.managerId || profile.manager;
  if (!value) return null;
  return isAddress(value) ? { directoryId: null, email: value } : { directoryId: value, email: null };
}

/** Not every org defines the relationship, and not every token may read it: nobody's offboarding waits for it. */
async function linkedManager(client: OktaClient, id: string): Promise<PersonRef | null> {
  const links = await client.get(`/api/v1/users/${encodeURIComponent(id)}/linkedObjects/manager`).catch(() => null);
  const href = Array.isArray(links)
    ? (links[0] as { _links?: { self?: { href?: unknown } } } | undefined)?._links?.self?.href
    : undefined;
  const managerId = typeof href === 'string' ? href.split('/').at(-1) : undefined;
  return managerId === undefined || managerId === '' ? null : { directoryId: managerId, email: null };
}

async function groupsOf(name: string, client: OktaClient, id: string): Promise<string[]> {
  const groups = await client.list(`/api/v1/users/${encodeURIComponent(id)}/groups`);
  return groups.map((group) => parsed(name, OktaGroup, group).profile.name);
}

/** After an app is activated again its assignments come back one by one: for a while, one that is missing says nothing. */
const settlingMs = 10 * 60_000;

/** @returns null when no app is configured */
async function assignment(name: string, { app }: OktaSource, client: OktaClient, id: string): Promise<boolean | null> {
  if (app === undefined) return null;
  const body = await client.get(`/api/v1/apps/${encodeURIComponent(app)}/users/${encodeURIComponent(id)}`);
  if (body !== null && !unassignedStates.has(parsed(name, OktaAppUser, body).status)) return true;
  // "Not assigned" and "no such app" are both a 404, and deactivating an app ends its assignments: only one that is there
  // and in use proves that it was taken from this person.
  const found = await client.get(`/api/v1/apps/${encodeURIComponent(app)}`);
  if (found === null) throw unclear(name, `the app ${app} does not exist there`);
  const { status, lastUpdated } = parsed(name, OktaApp, found);
  if (status === 'INACTIVE') throw unclear(name, `the app ${app} is deactivated`);
  if (Date.parse(lastUpdated ?? '') > Date.now() - settlingMs) {
    throw unclear(name, `the app ${app} was changed a moment ago, and assignments may still be coming`);
  }
  return false;
}

/** Proves that "not found" is about the person and not about the directory, the token or something in between. */
async function control(name: string, client: OktaClient): Promise<void> {
  const users = await client.get('/api/v1/users?limit=1');
  if (Array.isArray(users) && users.length > 0) return;
  if ((await client.get('/api/v1/users/me')) !== null) return;
  throw unclear(name, 'it knows nobody at all, so "not found" proves nothing');
}

/** Okta's plain list leaves out the deactivated (idp-events.md §1.6): whoever is missing is looked up by themselves. */
async function* list(
  name: string,
  config: OktaSource,
  client: OktaClient,
  groups: readonly string[],
): AsyncGenerator<ListedPerson[]> {
  const assigned = config.app === undefined ? null : await assignedIds(name, config.app, client);
  const members = await membersOf(name, client, groups);
  for await (const page of client.pages('/api/v1/users')) {
    yield page.map((item) => {
      const user = parsed(name, OktaUser, item);
      return {
        directoryId: user.id,
        standing: standingOf(user),
        emails: emailsOf(user),
        assigned: assigned === null ? null : assigned.has(user.id),
        groups: members === null ? null : groups.filter((group) => members.get(group)?.has(user.id)),
      };
    });
  }
}

async function assignedIds(name: string, app: string, client: OktaClient): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const page of client.pages(`/api/v1/apps/${encodeURIComponent(app)}/users`)) {
    for (const item of page) {
      const user = parsed(name, OktaAppUser, item);
      if (!unassignedStates.has(user.status)) ids.add(user.id);
    }
  }
  return ids;
}

/** Members by group name; null when the token may not list them: each person is then asked for by themselves. */
async function membersOf(
  name: string,
  client: OktaClient,
  groups: readonly string[],
): Promise<Map<string, Set<string>> | null> {
  const members = new Map<string, Set<string>>();
  try {
    for (const group of groups) {
      const ids = new Set<string>();
      const found = await client.list(`/api/v1/groups?q=${encodeURIComponent(group)}`);
      for (const item of found.map((one) => parsed(name, OktaGroup, one))) {
        if (item.profile.name.trim().toLowerCase() !== group.trim().toLowerCase()) continue;
        for await (const page of client.pages(`/api/v1/groups/${encodeURIComponent(item.id)}/users`)) {
          for (const one of page) ids.add(parsed(name, OktaUser, one).id);
        }
      }
      members.set(group, ids);
    }
    return members;
  } catch (error) {
    if (error instanceof DirectoryUnavailable) return null;
    throw error;
  }
}

async function search(name: string, client: OktaClient, address: string): Promise<OktaUser[]> {
  const quoted = JSON.stringify(address);
  const expression = ['profile.email', 'profile.login', 'profile.secondEmail']
    .map((field) => `${field} eq ${quoted}`)
    .join(' or ');
  // A plain list would hide the deactivated (idp-events.md §1.6).
  const users = await client.list(`/api/v1/users?search=${encodeURIComponent(expression)}`);
  return users.map((user) => parsed(name, OktaUser, user));
}

function parsed<T>(
  name: string,
  schema: { safeParse(value: unknown): { success: boolean; data?: T } },
  value: unknown,
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data as T;
  throw unclear(name, 'its answer has not the documented form');
}

function unclear(name: string, why: string): DirectoryUnavailable {
  return new DirectoryUnavailable(`the directory ${name} gave no clear answer: ${why}`, 30_000, {
    code: 'DIRECTORY_UNCLEAR',
    blame: 'remote',
  });
}
