import type { Directory } from '#shared/directory/directory.js';
import { canonicalAddress, isAddress } from '#shared/lifecycle/address.js';
import { canonicalGroup } from '#shared/lifecycle/rules/grants.js';
import type { Successor } from '#shared/lifecycle/situation.js';
import type { DirectoryPerson, Evidence, Policy } from '#shared/lifecycle/types.js';
import type { PersonRow } from '#shared/store/people.js';

/**
 * Who receives what a leaver owned: by group, by address, or the manager whom the directory names, or named while the
 * person was still there. A manager who left too inherits nothing.
 * @throws DirectoryUnavailable
 */
export async function findSuccessor(
  directory: Directory,
  { offboarding }: Policy,
  evidence: Evidence,
  person: PersonRow,
): Promise<Successor> {
  const found = evidence.kind === 'found' ? evidence.person : null;
  const isAsked = offboarding.successors.length > 0 && found !== null && found.standing !== 'active';
  const left = isAsked ? await directory.groupsLeft(found.directoryId) : [];
  const groups = new Set([...(found?.groups ?? []), ...left, ...person.groups].map(canonicalGroup));
  const byGroup = offboarding.successors.find(({ group }) => groups.has(canonicalGroup(group)));
  if (byGroup !== undefined) {
    return { email: byGroup.successor, why: `${byGroup.successor} succeeds members of ${byGroup.group}` };
  }
  const { successor } = offboarding;
  if (successor === 'none') return { email: null, why: 'offboarding.successor is none' };
  if (successor !== 'manager') return { email: successor, why: `${successor} is the configured successor` };
  const email = await managerEmail(directory, found, person);
  if (email === null) return { email: null, why: 'the directory names no manager who is still there' };
  if (person.emails.includes(canonicalAddress(email))) return { email: null, why: 'they are their own manager' };
  return { email, why: `${email} is their manager` };
}

/** The manager's address, if the manager is active. */
export async function managerEmail(
  directory: Directory,
  found: DirectoryPerson | null,
  { managerEmail: remembered }: Pick<PersonRow, 'managerEmail'>,
): Promise<string | null> {
  const ref = found?.manager ?? (remembered === null ? null : { directoryId: null, email: remembered });
  if (ref === null) return null;
  const holders = await managersOf(directory, ref);
  const active = holders.filter(({ standing }) => standing === 'active');
  return active.length === 1 ? (active[0]?.emails[0] ?? null) : null;
}

async function managersOf(
  directory: Directory,
  ref: NonNullable<DirectoryPerson['manager']>,
): Promise<DirectoryPerson[]> {
  if (ref.directoryId !== null) {
    const answer = await directory.read(ref.directoryId);
    if (answer.kind === 'found') return [answer.person];
  }
  const email = ref.email ?? (ref.directoryId !== null && isAddress(ref.directoryId) ? ref.directoryId : null);
  return email === null ? [] : directory.findByEmail(email);
}
