import type { EntraSource } from '#shared/config/sources/entra.js';
import { canonicalAddress, isAddress } from '#shared/lifecycle/address.js';
import type { DirectoryPerson, PersonRef, Standing } from '#shared/lifecycle/types.js';
import { DirectoryUnavailable } from '../directory.js';
import type { GraphClient } from './client.js';
import type { EntraUser } from './schema.js';

export interface Tenant {
  name: string;
  config: EntraSource;
  graph: GraphClient;
}

export function person(
  user: EntraUser,
  standing: Standing,
  more: Pick<DirectoryPerson, 'groups' | 'assigned'>,
): DirectoryPerson {
  return {
    directoryId: user.id,
    standing,
    emails: emailsOf(user),
    firstName: user.givenName ?? null,
    lastName: user.surname ?? null,
    manager: managerOf(user),
    ...more,
  };
}

/** Absent must not read as false: it means that nobody told us. */
export function standingOf({ name, config }: Tenant, { accountEnabled, deletedDateTime }: EntraUser): Standing {
  if (typeof deletedDateTime === 'string') return 'inactive';
  if (accountEnabled === undefined || accountEnabled === null) {
    throw unclear(name, 'it does not say whether the account is enabled (grant User.Read.All)');
  }
  if (accountEnabled) return 'active';
  return config.disabled === 'terminated' ? 'inactive' : 'suspended';
}

export function emailsOf(user: EntraUser): string[] {
  const proxies = (user.proxyAddresses ?? [])
    .filter((one) => /^smtp:/i.test(one))
    .sort((a, b) => Number(b.startsWith('SMTP:')) - Number(a.startsWith('SMTP:')))
    .map((one) => one.slice('smtp:'.length));
  const all = [user.mail, principalOf(user), ...proxies, ...(user.otherMails ?? [])].filter(
    (one): one is string => typeof one === 'string' && isAddress(one),
  );
  const first = new Map<string, string>();
  for (const one of all) if (!first.has(canonicalAddress(one))) first.set(canonicalAddress(one), one);
  return [...first.values()];
}

/** A guest's principal name is nobody's address, and a deleted one has the id in front of what it was. */
function principalOf({ id, userPrincipalName }: EntraUser): string | null {
  if (userPrincipalName === null || userPrincipalName === undefined || /#EXT#/i.test(userPrincipalName)) return null;
  const mark = id.replaceAll('-', '').toLowerCase();
  return userPrincipalName.toLowerCase().startsWith(mark) ? userPrincipalName.slice(mark.length) : userPrincipalName;
}

function managerOf({ manager }: EntraUser): PersonRef | null {
  if (manager === null || manager === undefined) return null;
  const email = manager.mail ?? manager.userPrincipalName;
  return { directoryId: manager.id, email: typeof email === 'string' && isAddress(email) ? email : null };
}

export function holds(user: EntraUser, address: string): boolean {
  return emailsOf(user).some((one) => canonicalAddress(one) === address);
}

export function isUser(body: unknown): boolean {
  const type = (body as { '@odata.type'?: unknown })['@odata.type'];
  return typeof type !== 'string' || isOf({ '@odata.type': type }, 'user');
}

export function isOf(object: { '@odata.type'?: string | null | undefined }, what: 'user' | 'group'): boolean {
  return object['@odata.type']?.toLowerCase() === `#microsoft.graph.${what}`;
}

export function parsed<T>(
  name: string,
  schema: { safeParse(value: unknown): { success: boolean; data?: T } },
  value: unknown,
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data as T;
  throw unclear(name, 'its answer has not the documented form');
}

export function unclear(name: string, why: string): DirectoryUnavailable {
  return new DirectoryUnavailable(`the directory ${name} gave no clear answer: ${why}`, 30_000, {
    code: 'DIRECTORY_UNCLEAR',
    blame: 'remote',
  });
}
