import type { z } from 'zod';
import type { DuoSource } from '#shared/config/sources/duo.js';
import { canonicalAddress, isAddress } from '#shared/lifecycle/address.js';
import type { DirectoryPerson, Standing } from '#shared/lifecycle/types.js';
import { type Directory, DirectoryUnavailable, type ListedPerson } from '../directory.js';
import { createDuoClient, type DuoClient, type DuoParameters, rights } from './client.js';
import { doctor } from './doctor.js';
import { DuoPaging, DuoUser, DuoUsers } from './schema.js';

const usersPath = '/admin/v1/users';
/** The most that Duo gives at once (idp-events.md §5). */
const pageLimit = 300;
/** A walk that does not end is no answer. */
const maxPages = 2_000;

/** Duo as a directory. Mostly fed from another one, so seldom the authority; it has no managers and no apps. */
export function createDuoDirectory(name: string, config: DuoSource, client = createDuoClient(name, config)): Directory {
  const read = async (id: string): Promise<DuoUser | null> => {
    // Anything else would be another path, such as the list of all.
    if (!/^[A-Za-z0-9]+$/.test(id)) throw unclear(name, 'what is asked for is no id of Duo');
    const answer = await client.ask(`${usersPath}/${id}`);
    if (answer.kind === 'not-found') return null;
    if (answer.kind === 'forbidden') throw lacksRight(name, rights.resource);
    const user = parsed(name, DuoUser, answer.response);
    if (user.user_id !== id) throw unclear(name, 'it answered with another person than was asked for');
    return user;
  };

  return {
    name,
    async read(directoryId) {
      const user = await read(directoryId);
      if (user !== null) return { kind: 'found', person: toPerson(name, config, user) };
      await control(name, client);
      return { kind: 'not-found' };
    },
    async findByEmail(email) {
      const address = canonicalAddress(email);
      // Whether Duo heeds the case of an address is not documented; a user name may be one too, and so may an alias.
      const questions = [...new Set([address, email.trim()])].flatMap((one) => [{ email: one }, { username: one }]);
      const found = new Map<string, DuoUser>();
      for (const question of questions) {
        for (const user of await usersBy(name, client, question)) found.set(user.user_id, user);
      }
      return [...found.values()]
        .filter((user) => emailsOf(user).some((one) => canonicalAddress(one) === address))
        .map((user) => toPerson(name, config, user));
    },
    // Neither being disabled nor the trash takes anybody out of a group.
    async groupsLeft(directoryId) {
      const user = await read(directoryId);
      return user === null ? [] : groupsOf(user);
    },
    list: (groups) => list(name, config, client, groups),
    doctor: () => doctor(name, config, client),
  };
}

function toPerson(name: string, config: DuoSource, user: DuoUser): DirectoryPerson {
  const standing = standingOf(config, user);
  if (standing === null) throw unclear(name, `nothing is known of the status “${user.status}”`);
  return {
    directoryId: user.user_id,
    standing,
    emails: emailsOf(user),
    firstName: user.firstname || null,
    lastName: user.lastname || null,
    manager: null,
    groups: standing === 'active' ? groupsOf(user) : [],
    assigned: null,
  };
}

/** Locked out is who typed wrongly too often, and bypass needs no second factor: neither has left. null: unknown. */
function standingOf({ disabled }: DuoSource, { status }: DuoUser): Standing | null {
  switch (status.trim().toLowerCase()) {
    case 'active':
    case 'bypass':
    case 'locked out':
      return 'active';
    case 'disabled':
      return disabled === 'terminated' ? 'inactive' : 'suspended';
    case 'pending deletion':
      return 'inactive';
    default:
      return null;
  }
}

function emailsOf({ email, username, aliases }: DuoUser): string[] {
  const all = [email, username, ...Object.values(aliases ?? {})].filter(
    (one): one is string => typeof one === 'string' && isAddress(one),
  );
  return [...new Map(all.map((one) => [canonicalAddress(one), one])).values()];
}

/** Whatever the group's own status: that is a rule for signing in, and about many people at once (README). */
function groupsOf({ groups }: DuoUser): string[] {
  return (groups ?? []).map((group) => group.name);
}

async function usersBy(name: string, client: DuoClient, question: DuoParameters): Promise<DuoUser[]> {
  const answer = await client.ask(usersPath, question);
  if (answer.kind === 'forbidden') throw lacksRight(name, rights.resource);
  if (answer.kind === 'not-found') throw unclear(name, 'it has no list of users');
  return parsed(name, DuoUsers, answer.response);
}

/** Proves that "not found" is about the person and not about the account or something in between. */
async function control(name: string, client: DuoClient): Promise<void> {
  const users = await usersBy(name, client, { limit: '1', offset: '0' });
  if (users.length === 0) throw unclear(name, 'it knows nobody at all, so "not found" proves nothing');
}

async function* list(
  name: string,
  config: DuoSource,
  client: DuoClient,
  groups: readonly string[],
): AsyncGenerator<ListedPerson[]> {
  const seen = new Set<string>();
  let offset: number | null = 0;
  for (let page = 0; offset !== null; page += 1) {
    const answer = await client.ask(usersPath, { limit: String(pageLimit), offset: String(offset) });
    if (answer.kind === 'forbidden') throw lacksRight(name, rights.resource);
    if (answer.kind === 'not-found') throw unclear(name, 'it has no list of users');
    const users = parsed(name, DuoUsers, answer.response);
    const { next_offset: next, total_objects: total } = parsed(name, DuoPaging, answer.metadata ?? {});
    for (const user of users) seen.add(user.user_id);
    const isLast = next === null || next === undefined;
    if (!isLast && (next <= offset || page + 1 >= maxPages)) throw unclear(name, 'its list of users does not end');
    if (isLast && seen.size < (total ?? 0)) {
      throw unclear(name, `it listed ${seen.size} of ${total} users, and half a list is none`);
    }
    yield users.flatMap((user) => listed(config, groups, user));
    offset = isLast ? null : next;
  }
}

/** Somebody of unknown status is left out: whoever is missing is asked for by themselves, and that alone has to wait. */
function listed(config: DuoSource, groups: readonly string[], user: DuoUser): ListedPerson[] {
  const standing = standingOf(config, user);
  if (standing === null) return [];
  const names = new Set(groupsOf(user).map(plain));
  return [
    {
      directoryId: user.user_id,
      standing,
      emails: emailsOf(user),
      assigned: null,
      groups: groups.filter((group) => names.has(plain(group))),
    },
  ];
}

function plain(group: string): string {
  return group.trim().toLowerCase();
}

function parsed<T>(name: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw unclear(name, 'its answer has not the documented form');
}

function lacksRight(name: string, right: string): DirectoryUnavailable {
  return unclear(name, `the Admin API application lacks the right “${right}”`);
}

function unclear(name: string, why: string): DirectoryUnavailable {
  return new DirectoryUnavailable(`the directory ${name} gave no clear answer: ${why}`, 30_000, {
    code: 'DIRECTORY_UNCLEAR',
    blame: 'remote',
  });
}
