import type { Directories } from '#shared/directory/directories.js';
import { type Directory, DirectoryUnavailable } from '#shared/directory/directory.js';
import { PermanentError } from '#shared/errors.js';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { PersonRef } from '#shared/lifecycle/types.js';
import type { Db } from '#shared/store/database.js';
import { type PersonRow, personFor, seenIn } from '#shared/store/people.js';

export interface Identified {
  person: PersonRow;
  /** The address alone was given and several people of one directory have it. */
  ambiguousAddress: string | null;
  /** Did the sender name both the id, in the person's own directory, and an address? */
  named: boolean;
}

/**
 * Which person does a sender mean? With several authorities, the first that knows an address owns the person, whoever
 * spoke of them; an id alone counts in the directory whose id it is.
 * @param source the sender; null: an operator, who gives an address
 * @throws DirectoryUnavailable
 * @throws PermanentError PERSON_UNHEARD when its own directory has no address for the id and none is remembered;
 * PERSON_UNKNOWN when the sender's id means nothing to any directory and there is no address
 */
export async function identify(
  { db, directories }: { db: Db; directories: Directories },
  ref: PersonRef,
  source: string | null,
): Promise<Identified> {
  const { authorities } = directories;
  const sender = source === null || ref.directoryId === null ? null : directories.idsOf(source);
  const rank = sender === null ? -1 : authorities.indexOf(sender);
  if (sender !== null && rank === 0) return namedIn(db, sender, ref);
  const emails = await addressesOf(db, sender, rank >= 0, ref);
  for (const authority of rank < 0 ? authorities : authorities.slice(0, rank)) {
    const owned = await ownedBy(db, authority, emails);
    if (owned === null) continue;
    const { person, remembered } = owned;
    // Only remembered there: whoever has the address now may be somebody else, and a human has to say.
    const later = authorities.slice(authorities.indexOf(authority) + 1);
    const ambiguousAddress = owned.ambiguousAddress ?? (remembered ? await activeIn(later, emails) : null);
    return { person, ambiguousAddress, named: false };
  }
  if (sender !== null && rank > 0) return namedIn(db, sender, ref);
  const [email] = emails;
  const [first] = authorities;
  if (email === undefined && sender !== null) {
    throw new PermanentError(`${source} speaks of somebody whose address nobody here ever heard`, {
      code: 'PERSON_UNHEARD',
      blame: 'remote',
    });
  }
  if (email === undefined || first === undefined) {
    throw new PermanentError(`${source} names nobody whom an authority could know: an id of its own and no address`, {
      code: 'PERSON_UNKNOWN',
      blame: 'input',
      remedy: `give sources.${source}.ids the source whose ids these are`,
    });
  }
  const person = await personFor(db, first.name, { directoryId: null, email });
  return { person, ambiguousAddress: null, named: false };
}

async function namedIn(db: Db, directory: Directory, ref: PersonRef): Promise<Identified> {
  const person = await personFor(db, directory.name, ref);
  return { person, ambiguousAddress: null, named: ref.email !== null };
}

/** The sender's, those that were known before, and those that the sender's own directory gives for its id. */
async function addressesOf(db: Db, sender: Directory | null, isAuthority: boolean, ref: PersonRef): Promise<string[]> {
  const given = ref.email === null ? [] : [canonicalAddress(ref.email)];
  if (sender === null || ref.directoryId === null) return given;
  let found: string[] = [];
  try {
    const answer = await sender.read(ref.directoryId);
    if (answer.kind === 'found') found = [...new Set(answer.person.emails.map(canonicalAddress))];
  } catch (error) {
    // Who only hints, and gave an address, is not waited for.
    if (isAuthority || given.length === 0 || !(error instanceof DirectoryUnavailable)) throw error;
  }
  // What the sender wrote may be an old address, which somebody else has now.
  if (found.length > 0) {
    await personFor(db, sender.name, { directoryId: ref.directoryId, email: found[0] ?? null });
    return found;
  }
  // Once it lists them no more, what is remembered here is what leads to them.
  const remembered = await personFor(db, sender.name, ref);
  return [...new Set([...given, ...remembered.emails])];
}

async function ownedBy(
  db: Db,
  directory: Directory,
  emails: string[],
): Promise<(Pick<Identified, 'person' | 'ambiguousAddress'> & { remembered: boolean }) | null> {
  for (const email of emails) {
    const [holder, ...others] = await directory.findByEmail(email);
    if (holder === undefined) continue;
    const directoryId = others.length === 0 ? holder.directoryId : null;
    const person = await personFor(db, directory.name, { directoryId, email });
    return { person, ambiguousAddress: others.length === 0 ? null : canonicalAddress(email), remembered: false };
  }
  // Whom it showed before and lists no more: their id, which is remembered, tells whether they are gone.
  const [seen, ...more] = await seenIn(db, directory.name, emails);
  if (seen === undefined || more.length > 0) return null;
  return { person: seen, ambiguousAddress: null, remembered: true };
}

/** The first of these addresses that somebody active has in one of these directories. */
async function activeIn(directories: readonly Directory[], emails: string[]): Promise<string | null> {
  for (const email of emails) {
    for (const directory of directories) {
      const holders = await directory.findByEmail(email);
      if (holders.some(({ standing }) => standing === 'active')) return email;
    }
  }
  return null;
}
