import { inTurns } from '#shared/in-turns.js';
import { type GoogleClient, parsed } from './client.js';
import { GoogleUnavailable, unclear } from './failure.js';
import { GoogleGroup, GoogleMember } from './schema.js';

/** Deeper or wider than any company nests its groups: such a walk is no answer, and half of one would take access away. */
const maxDepth = 20;
const maxGroups = 1_000;
const atOnce = 4;

/** Every group that somebody is in, by themselves or through other groups, as the configuration may call it. */
export async function groupsOf(name: string, client: GoogleClient, userId: string): Promise<string[]> {
  const found = new Map<string, GoogleGroup>();
  let level = await parentsOf(name, client, userId);
  for (let depth = 0; level.length > 0; depth += 1) {
    const fresh = [...new Map(level.map((group) => [group.id, group])).values()].filter(({ id }) => !found.has(id));
    for (const group of fresh) found.set(group.id, group);
    if (depth >= maxDepth || found.size > maxGroups) throw unclear(name, 'groups are nested without end');
    const above: GoogleGroup[] = [];
    await inTurns(fresh, atOnce, async ({ email }) => {
      above.push(...(await parentsOf(name, client, email)));
    });
    level = above;
  }
  return [...new Set([...found.values()].flatMap(namesOf))];
}

/**
 * Members of each wanted group; null when Google does not tell whom a group holds: each person is then asked for by
 * themselves.
 */
export async function membersOf(
  name: string,
  client: GoogleClient,
  wanted: readonly string[],
): Promise<Map<string, Set<string>> | null> {
  const members = new Map<string, Set<string>>();
  try {
    for (const group of wanted) {
      const ids = await idsIn(name, client, group);
      if (ids === null) return null;
      members.set(group, ids);
    }
    return members;
  } catch (error) {
    if (error instanceof GoogleUnavailable) return null;
    throw error;
  }
}

async function idsIn(name: string, client: GoogleClient, wanted: string): Promise<Set<string> | null> {
  const ids = new Set<string>();
  for await (const page of client.groups(`${wanted.includes('@') ? 'email' : 'name'}=${quoted(wanted.trim())}`)) {
    for (const group of page.map((item) => parsed(name, GoogleGroup, item))) {
      if (!namesOf(group).some((one) => sameName(one, wanted))) continue;
      for await (const members of client.members(group.id)) {
        for (const { type, id } of members.map((item) => parsed(name, GoogleMember, item))) {
          // "Everybody in the company" is one member without a name.
          if (type === 'CUSTOMER') return null;
          if (type === 'USER' && id) ids.add(id);
        }
      }
    }
  }
  return ids;
}

/**
 * An address belongs to one group. A name may be given to another group by anybody who may make groups, so it counts only
 * where an administrator made the group: nobody shall grant themselves a role.
 */
function namesOf({ email, name, adminCreated }: GoogleGroup): string[] {
  return name && adminCreated !== false ? [name, email] : [email];
}

/** A value of a search, in Google's quotes. */
export function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}

function sameName(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}

async function parentsOf(name: string, client: GoogleClient, member: string): Promise<GoogleGroup[]> {
  return (await client.groupsOf(member)).map((group) => parsed(name, GoogleGroup, group));
}
