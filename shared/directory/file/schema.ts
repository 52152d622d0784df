import type { RosterConfig } from '#shared/config/sources/file.js';
import { canonicalAddress, isAddress } from '#shared/lifecycle/address.js';
import type { DirectoryPerson, PersonRef, Standing } from '#shared/lifecycle/types.js';
import type { WantedColumns } from './columns.js';
import type { TableRow } from './table.js';

export type RosterColumn = 'id' | 'email' | 'status' | 'manager' | 'groups' | 'name' | 'firstName' | 'lastName';

const columns = ['id', 'email', 'status', 'manager', 'name', 'firstName', 'lastName'] as const;
const needs: Partial<Record<RosterColumn, 'required' | 'telling'>> = {
  id: 'required',
  email: 'required',
  status: 'telling',
};

/** That nobody is in any group takes access from everybody: a file without groups is taken only if that was said. */
export function rosterColumns({ columns: headings }: RosterConfig): WantedColumns<RosterColumn> {
  const wanted: WantedColumns<RosterColumn> = {};
  for (const key of columns) wanted[key] = { heading: headings[key], need: needs[key] ?? 'optional' };
  if (headings.groups === 'none') return wanted;
  const without = 'if the file tells of no groups, write columns.groups: none';
  return { ...wanted, groups: { heading: headings.groups, need: 'required', without } };
}

/** @returns the person, or what is wrong with their row */
export function personOf(roster: RosterConfig, { cells, fault }: TableRow<RosterColumn>): DirectoryPerson | string {
  if (fault !== null) return fault;
  const { id = '', email = '' } = cells;
  if (id === '' || id.length > 200) return id === '' ? 'has no id' : 'has an id of more than 200 characters';
  const emails = [
    ...new Map(
      email
        .split(/[\s,;|]+/)
        .filter((one) => one !== '')
        .map((one) => [canonicalAddress(one), one]),
    ).values(),
  ];
  if (!emails.every(isAddress)) return 'has something else than addresses under email';
  const standing = standingOf(roster, cells.status);
  if (standing === null) {
    return 'has a status that neither roster.active nor roster.suspended nor roster.inactive names';
  }
  return {
    directoryId: id,
    standing,
    emails,
    ...namesOf(cells),
    manager: managerOf(cells.manager ?? ''),
    groups: [...new Set(split(cells.groups ?? '', roster.separator))],
    assigned: null,
  };
}

/** @returns null for a word that says nothing: unknown is never gone */
function standingOf({ active, suspended, inactive }: RosterConfig, status: string | undefined): Standing | null {
  if (status === undefined) return 'active';
  const isAmong = (words: readonly string[]) => words.some((word) => word.toLowerCase() === status.toLowerCase());
  if (isAmong(active)) return 'active';
  if (isAmong(suspended)) return 'suspended';
  return isAmong(inactive) ? 'inactive' : null;
}

function namesOf({
  name = '',
  firstName,
  lastName,
}: TableRow<RosterColumn>['cells']): Pick<DirectoryPerson, 'firstName' | 'lastName'> {
  if (firstName || lastName) return { firstName: firstName || null, lastName: lastName || null };
  const [last, first] = name.split(',').map((part) => part.trim());
  if (first) return { firstName: first, lastName: last || null };
  const words = name.split(/\s+/).filter((word) => word !== '');
  const [only] = words;
  if (words.length < 2) return { firstName: only ?? null, lastName: null };
  return { firstName: words.slice(0, -1).join(' '), lastName: words.at(-1) ?? null };
}

function managerOf(text: string): PersonRef | null {
  if (text === '') return null;
  return isAddress(text) ? { directoryId: null, email: text } : { directoryId: text, email: null };
}

/** A list of a JSON file is apart by line breaks. */
function split(text: string, separator: string): string[] {
  return text
    .split('\n')
    .flatMap((line) => line.split(separator))
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
