import type { LifecycleEventType } from '#shared/lifecycle/types.js';

/** What a type of event says; `many`: something about everyone in a role, which names nobody. */
export type Meaning = LifecycleEventType | 'many';

/** The account's own table, id -> name; null while it could not be loaded. */
export type TypeNames = ReadonlyMap<number, string> | null;

/** idp-events.md §4.2. Published lists of numbers disagree: they count only where the account's table says nothing. */
const byNumber = new Map<number, Meaning>([
  ...meaning('many', 1, 2),
  ...meaning('joined', 13, 33, 48, 533),
  ...meaning('reactivated', 16, 32),
  ...meaning('suspended', 15, 21, 551),
  ...meaning('terminated', 17, 28, 530),
  ...meaning('moved', 4, 14, 110, 147, 148, 149, 150, 513, 514, 529),
  ...meaning('assigned', 206),
  ...meaning('unassigned', 207),
]);

/** Words that name the actor, the way or the obvious. What is left of a name says what happened, in any order. */
const fillers = new Set(
  'A THE USER USERS ACCOUNT TO FROM BY VIA THROUGH USING API MANUALLY AUTOMATICALLY MANUAL AUTO'.split(' '),
);

/** By the words that are left, sorted. null: known, and about nobody's access. */
const byWords = new Map<string, Meaning | null>(
  Object.entries({
    CREATED: 'joined',
    IMPORTED: 'joined',
    'DIRECTORY IMPORTED': 'joined',
    ACTIVATED: 'reactivated',
    REACTIVATED: 'reactivated',
    UNSUSPENDED: 'reactivated',
    DEACTIVATED: 'suspended',
    SUSPENDED: 'suspended',
    DELETED: 'terminated',
    DESTROYED: 'terminated',
    REMOVED: 'terminated',
    'RECENTLY REMOVED': 'terminated',
    UPDATED: 'moved',
    'ADDED ROLE': 'moved',
    'ASSIGNED ROLE': 'moved',
    'REMOVED ROLE': 'moved',
    'ROLE UNASSIGNED': 'moved',
    'ADDED LOGIN': 'assigned',
    'LOGIN REMOVED': 'unassigned',
    'ADDED APP ROLE': 'many',
    'APP REMOVED ROLE': 'many',
    LOCKED: null,
    UNLOCKED: null,
  } as const),
);

/** @returns null for what says nothing about anybody's access, which is most of what OneLogin sends */
export function meaningOf(type: number, names: TypeNames): Meaning | null {
  const name = names?.get(type);
  const numbered = byNumber.get(type) ?? null;
  if (name === undefined) return numbered;
  const words = name
    .toUpperCase()
    .split(/[^A-Z]+/)
    .filter((word) => word !== '');
  const said = byWords.get(
    words
      .filter((word) => !fillers.has(word))
      .sort()
      .join(' '),
  );
  const isAboutAccess = ['USER', 'ROLE', 'LOGIN'].some((word) => words.includes(word));
  if (!isAboutAccess) return null;
  if (said !== undefined) return said;
  // A failure is no change. Any other wording that is not known leaves the number, which is a hint at worst.
  return words.some((word) => /^(FAILED|FAILURE|IN)$/.test(word)) ? null : numbered;
}

/** The types worth asking for. */
export function meaningfulTypes(names: TypeNames): number[] {
  const known = new Set([...byNumber.keys(), ...(names?.keys() ?? [])]);
  return [...known].filter((type) => meaningOf(type, names) !== null).sort((a, b) => a - b);
}

function meaning(what: Meaning, ...types: number[]): [number, Meaning][] {
  return types.map((type) => [type, what]);
}
