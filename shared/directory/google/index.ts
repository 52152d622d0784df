import type { GoogleSource } from '#shared/config/sources/google.js';
import { canonicalAddress, isAddress } from '#shared/lifecycle/address.js';
import type { DirectoryPerson, PersonRef, Standing } from '#shared/lifecycle/types.js';
import type { Directory, ListedPerson } from '../directory.js';
import { createGoogleClient, type GoogleClient, parsed } from './client.js';
import { doctor } from './doctor.js';
import { GoogleUnavailable, unclear } from './failure.js';
import { groupsOf, membersOf, quoted } from './groups.js';
import { GoogleUser } from './schema.js';

/** Google Workspace as the truth about people. */
export function createGoogleDirectory(
  name: string,
  config: GoogleSource,
  client = createGoogleClient(name, config),
): Directory {
  const nothing = { groups: [], manager: null };
  return {
    name,
    async read(directoryId) {
      const body = await client.getUser(directoryId);
      const user = body === null ? await deletedUser(name, client, directoryId) : parsed(name, GoogleUser, body);
      if (user === null) {
        await control(name, config, client);
        return { kind: 'not-found' };
      }
      if (user.id !== directoryId) throw unclear(name, 'it answered with another person than was asked for');
      // Suspending keeps the groups, so they say nothing about who is not active.
      const groups = standingOf(config, user) === 'active' ? await groupsOf(name, client, user.id) : [];
      return { kind: 'found', person: person(config, user, { groups, manager: managerOf(user) }) };
    },
    async findByEmail(email) {
      const holders = await holdersOf(name, client, canonicalAddress(email));
      return holders.map((user) => person(config, user, nothing));
    },
    async groupsLeft(directoryId) {
      try {
        return await groupsOf(name, client, directoryId);
      } catch (error) {
        // Who is deleted is in no group any more.
        if (error instanceof GoogleUnavailable && error.status === 404) return [];
        throw error;
      }
    },
    list: (groups) => list(name, config, client, groups),
    doctor: () => doctor(name, config, client),
  };
}

function person(
  config: GoogleSource,
  user: GoogleUser,
  more: Pick<DirectoryPerson, 'groups' | 'manager'>,
): DirectoryPerson {
  return {
    directoryId: user.id,
    standing: standingOf(config, user),
    emails: emailsOf(user),
    firstName: user.name?.givenName ?? null,
    lastName: user.name?.familyName ?? null,
    // Google has no assignment of apps that could be read.
    assigned: null,
    ...more,
  };
}

function standingOf(
  { archived, suspendedByGoogle }: Pick<GoogleSource, 'archived' | 'suspendedByGoogle'>,
  user: GoogleUser,
): Standing {
  if (user.deletionTime) return 'inactive';
  if (user.archived) return archived === 'terminated' ? 'inactive' : 'suspended';
  if (!user.suspended) return 'active';
  const byGoogle = user.suspensionReason ? user.suspensionReason !== 'ADMIN' : false;
  return byGoogle && suspendedByGoogle === 'ignore' ? 'active' : 'suspended';
}

/**
 * The addresses that Google itself delivers to. `emails[]` and `recoveryEmail` hold private ones too, which people write
 * there by themselves: they prove nothing about who somebody is.
 */
function emailsOf({ primaryEmail, aliases, nonEditableAliases }: GoogleUser): string[] {
  const all = [primaryEmail, ...(aliases ?? []), ...(nonEditableAliases ?? [])].filter(isAddress);
  return [...new Map(all.map((one) => [canonicalAddress(one), one])).values()];
}

function managerOf({ relations }: GoogleUser): PersonRef | null {
  const value = relations?.find(({ type }) => type === 'manager')?.value?.trim();
  return value && isAddress(value) ? { directoryId: null, email: value } : null;
}

/** Who holds an address now; when nobody does, who held it last and was deleted since. */
async function holdersOf(name: string, client: GoogleClient, address: string): Promise<GoogleUser[]> {
  const holds = (user: GoogleUser) => emailsOf(user).some((one) => canonicalAddress(one) === address);
  const direct = await userAt(name, client, address);
  if (direct !== null && holds(direct)) return [direct];
  const holders: GoogleUser[] = [];
  for await (const page of client.users({ query: `email=${quoted(address)}` })) {
    holders.push(...page.map((item) => parsed(name, GoogleUser, item)).filter(holds));
  }
  if (holders.length > 0) return holders;
  const [last] = (await deletedUsers(name, client, holds)).sort((a, b) => deletedAt(b) - deletedAt(a));
  return last === undefined ? [] : [last];
}

/**
 * By any address, aliases included. For one of somebody else’s domain Google says "forbidden" or "no such key": the search
 * over all users, which comes next, shows whether that was about the address or about what may be read.
 */
async function userAt(name: string, client: GoogleClient, address: string): Promise<GoogleUser | null> {
  try {
    const body = await client.getUser(address);
    return body === null ? null : parsed(name, GoogleUser, body);
  } catch (error) {
    if (!(error instanceof GoogleUnavailable)) throw error;
    const foreign = (error.status === 403 && error.reason === 'forbidden') || (error.status === 400 && error.reason);
    if (foreign) return null;
    throw error;
  }
}

async function deletedUser(name: string, client: GoogleClient, id: string): Promise<GoogleUser | null> {
  const [user] = await deletedUsers(name, client, (one) => one.id === id);
  return user ?? null;
}

/** Google keeps the deleted for about twenty days, and does not promise to search among them: the list is read whole. */
async function deletedUsers(
  name: string,
  client: GoogleClient,
  wanted: (user: GoogleUser) => boolean,
): Promise<GoogleUser[]> {
  const found: GoogleUser[] = [];
  for await (const page of client.users({ deleted: true })) {
    for (const item of page) {
      const user = parsed(name, GoogleUser, item);
      // Every one of this list is deleted, whether or not it says when.
      if (wanted(user)) found.push({ ...user, deletionTime: user.deletionTime || 'unknown' });
    }
  }
  return found;
}

function deletedAt({ deletionTime }: GoogleUser): number {
  return Date.parse(deletionTime ?? '') || 0;
}

/** Proves that "not found" is about the person and not about the directory, the token or something in between. */
async function control(name: string, { subject }: GoogleSource, client: GoogleClient): Promise<void> {
  if ((await client.getUser(subject)) !== null) return;
  throw unclear(name, 'it does not know its own administrator, so "not found" proves nothing');
}

/** Suspended and archived people are listed, the deleted are not: who is missing is looked up by themselves. */
async function* list(
  name: string,
  config: GoogleSource,
  client: GoogleClient,
  groups: readonly string[],
): AsyncGenerator<ListedPerson[]> {
  const members = await membersOf(name, client, groups);
  for await (const page of client.users({})) {
    yield page.map((item) => {
      const user = parsed(name, GoogleUser, item);
      return {
        directoryId: user.id,
        standing: standingOf(config, user),
        emails: emailsOf(user),
        assigned: null,
        groups: members === null ? null : groups.filter((group) => members.get(group)?.has(user.id)),
      };
    });
  }
}
