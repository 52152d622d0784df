import type { OneLoginSource } from '#shared/config/sources/onelogin.js';
import { canonicalAddress, isAddress } from '#shared/lifecycle/address.js';
import type { DirectoryPerson, Standing } from '#shared/lifecycle/types.js';
import type { Directory, ListedPerson } from '../directory.js';
import { createOneLoginClient, type OneLoginClient } from './client.js';
import { doctor } from './doctor.js';
import { groupsOf, membersOf } from './groups.js';
import { parsed } from './parsed.js';
import { Identified, OneLoginUser } from './schema.js';
import { unavailable } from './transport.js';

/** Users a page: what every version of the documentation allows. */
const usersPath = '/api/2/users?limit=50';

/** OneLogin as the truth about people. */
export function createOneLoginDirectory(
  name: string,
  config: OneLoginSource,
  client = createOneLoginClient(name, config),
): Directory {
  const read = async (id: string): Promise<OneLoginUser | null> => {
    const body = await client.get(`/api/2/users/${encodeURIComponent(id)}`);
    if (body === null) {
      await control(name, client);
      return null;
    }
    const user = parsed(name, OneLoginUser, body);
    if (user.id !== id) throw unavailable(name, 'it answered with another person than was asked for');
    return user;
  };

  return {
    name,
    async read(directoryId) {
      const user = await read(directoryId);
      if (user === null) return { kind: 'not-found' };
      return { kind: 'found', person: await toPerson(name, config, client, user) };
    },
    async findByEmail(email) {
      const users = await search(name, client, canonicalAddress(email));
      return users.map((user) => person(name, user, { groups: [], assigned: null }));
    },
    // A suspended user stays in roles and group.
    async groupsLeft(directoryId) {
      const user = await read(directoryId);
      return user === null ? [] : groupsOf(name, config.groupsFrom, client, user);
    },
    list: (groups) => list(name, config, client, groups),
    doctor: () => doctor(name, config, client),
  };
}

async function toPerson(
  name: string,
  config: OneLoginSource,
  client: OneLoginClient,
  user: OneLoginUser,
): Promise<DirectoryPerson> {
  // Who is suspended keeps roles and apps: they say nothing about who is not active.
  if (standingOf(name, user) !== 'active') return person(name, user, { groups: [], assigned: null });
  const [groups, assigned] = await Promise.all([
    groupsOf(name, config.groupsFrom, client, user),
    assignment(name, config, client, user.id),
  ]);
  return person(name, user, { groups, assigned });
}

function person(name: string, user: OneLoginUser, more: Pick<DirectoryPerson, 'groups' | 'assigned'>): DirectoryPerson {
  return {
    directoryId: user.id,
    standing: standingOf(name, user),
    emails: emailsOf(user),
    firstName: user.firstname ?? null,
    lastName: user.lastname ?? null,
    manager: user.manager_user_id == null ? null : { directoryId: user.manager_user_id, email: null },
    ...more,
  };
}

/**
 * idp-events.md §4.3. Locked, and everything about passwords, is no departure. `unactivated` is a newcomer, unless they
 * were active once: then somebody deactivated them.
 */
function standingOf(name: string, { status, state, activated_at }: OneLoginUser): Standing {
  if (state === 2 || state === 3) return 'inactive';
  if (status === 2) return 'suspended';
  if (status === 0) return activated_at ? 'suspended' : 'active';
  if (status == null || status < 0 || status > 8) throw unavailable(name, `it gave a status that is not known`);
  return 'active';
}

function emailsOf({ email, username }: OneLoginUser): string[] {
  const all = [email, username].filter((one): one is string => typeof one === 'string' && isAddress(one));
  return [...new Map(all.map((one) => [canonicalAddress(one), one])).values()];
}

/** Proves that "not found" is about the person and not about the directory, the token or something in between. */
async function control(name: string, client: OneLoginClient): Promise<void> {
  const users = await client.get('/api/2/users?limit=1');
  if (Array.isArray(users) && users.length > 0) return;
  throw unavailable(name, 'it knows nobody at all, so "not found" proves nothing');
}

async function search(name: string, client: OneLoginClient, address: string): Promise<OneLoginUser[]> {
  // `!` and `*` mean something there, and no way to write them otherwise is documented.
  if (/^!|\*/.test(address)) throw unavailable(name, 'it can’t be searched for an address with ! in front or *');
  const found = new Map<string, OneLoginUser>();
  for (const field of ['email', 'username']) {
    for (const item of await client.list(`${usersPath}&${field}=${encodeURIComponent(address)}`)) {
      const user = parsed(name, OneLoginUser, item);
      if (emailsOf(user).some((one) => canonicalAddress(one) === address)) found.set(user.id, user);
    }
  }
  return [...found.values()];
}

/** @returns null when no app is configured */
async function assignment(
  name: string,
  { app }: OneLoginSource,
  client: OneLoginClient,
  id: string,
): Promise<boolean | null> {
  if (app === undefined) return null;
  // Without this, apps that are hidden in the portal are left out.
  const apps = await client.list(`/api/2/users/${encodeURIComponent(id)}/apps?ignore_visibility=true`);
  if (apps.some((one) => parsed(name, Identified, one).id === app)) return true;
  // Only an app that is there proves that it is not assigned.
  if ((await client.get(`/api/2/apps/${app}`)) === null) throw unavailable(name, `the app ${app} does not exist there`);
  return false;
}

async function* list(
  name: string,
  { app, groupsFrom }: OneLoginSource,
  client: OneLoginClient,
  groups: readonly string[],
): AsyncGenerator<ListedPerson[]> {
  const assigned = app === undefined ? null : await idsIn(name, client, `/api/2/apps/${app}/users?limit=50`);
  const isIn = await membersOf(name, groupsFrom, client, groups);
  for await (const page of client.pages(usersPath)) {
    yield page.map((item) => {
      const user = parsed(name, OneLoginUser, item);
      return {
        directoryId: user.id,
        standing: standingOf(name, user),
        emails: emailsOf(user),
        assigned: assigned === null ? null : assigned.has(user.id),
        groups: isIn === null ? null : groups.filter((group) => isIn(user, group)),
      };
    });
  }
}

async function idsIn(name: string, client: OneLoginClient, path: string): Promise<Set<string>> {
  return new Set((await client.list(path)).map((one) => parsed(name, Identified, one).id));
}
