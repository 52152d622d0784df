import type { FileSource, RosterConfig } from '#shared/config/sources/file.js';
import { messageOf } from '#shared/errors.js';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { DirectoryPerson } from '#shared/lifecycle/types.js';
import type { Check, Directory, ListedPerson } from '../directory.js';
import { createRosterFile, type RosterFile } from './client.js';

const pageSize = 500;

/** A roster file as the truth about people; null when only a feed is configured. */
export function createFileDirectory(name: string, { roster }: FileSource): Directory | null {
  if (roster === undefined) return null;
  const file = createRosterFile(name, roster);
  return {
    name,
    async read(directoryId) {
      // A whole roster with somebody in it is the control: the file knows people, and not this one.
      const person = (await file.read()).byId.get(directoryId) ?? (await file.readSettled()).byId.get(directoryId);
      return person === undefined ? { kind: 'not-found' } : { kind: 'found', person: asRead(person) };
    },
    async findByEmail(email) {
      const address = canonicalAddress(email);
      const holders =
        (await file.read()).byAddress.get(address) ?? (await file.readSettled()).byAddress.get(address) ?? [];
      return holders.map(asRead);
    },
    groupsLeft: async (directoryId) => (await file.read()).byId.get(directoryId)?.groups ?? [],
    list: (groups) => list(file, groups),
    doctor: () => doctor(name, roster, file),
  };
}

/** Groups of who is not active give nothing: they are what `groupsLeft` tells. */
function asRead(person: DirectoryPerson): DirectoryPerson {
  return person.standing === 'active' ? person : { ...person, groups: [] };
}

async function* list(file: RosterFile, groups: readonly string[]): AsyncGenerator<ListedPerson[]> {
  const people = [...(await file.read()).byId.values()];
  for (let at = 0; at < people.length; at += pageSize) {
    yield people.slice(at, at + pageSize).map(({ directoryId, standing, emails, groups: theirs }) => {
      const known = new Set(theirs.map(sameName));
      return {
        directoryId,
        standing,
        emails,
        assigned: null,
        groups: groups.filter((group) => known.has(sameName(group))),
      };
    });
  }
}

function sameName(group: string): string {
  return group.trim().toLowerCase();
}

async function doctor(name: string, { path }: RosterConfig, file: RosterFile): Promise<Check[]> {
  const check = { name: `sources.${name} roster` };
  try {
    const { byId, writtenAt } = await file.read();
    const count = (standing: string) => [...byId.values()].filter((one) => one.standing === standing).length;
    const detail = `${path} lists ${count('active')} active, ${count('suspended')} suspended and ${count('inactive')} inactive, written ${writtenAt.toISOString()}`;
    return [{ ...check, ok: true, detail, remedy: '' }];
  } catch (error) {
    const remedy = `write ${path} whole and under another name, and rename it then; docs/sources/file.md shows its form`;
    return [{ ...check, ok: false, detail: messageOf(error), remedy }];
  }
}
