import { canonicalAddress, fillTemplate, isAddress, leadsBack, originsOf } from './address.js';
import { type Granted, grantedRole, isCoveredByGrants } from './rules/grants.js';
import { isProtected } from './rules/untouchable.js';
import type { AccountPolicy, Link, Policy, Roster, Standing, Teammate } from './types.js';

// What a comparison of a roster with the directory finds that no event announced. It proposes; the planner decides.

export type DriftKind =
  /** Nobody in the directory has the address. */
  | 'orphan'
  /** They left, and are still there. */
  | 'leaver'
  | 'suspended'
  /** Active, without the app or a grant. */
  | 'unassigned'
  /** Seen for the first time: SendGrid may have made them itself at a sign-in. */
  | 'arrival'
  /** An SSO teammate under an address that is no longer theirs. */
  | 'renamed'
  /** Another access than their groups grant. */
  | 'access'
  /** Several people of the directory have the address. */
  | 'ambiguous';

export interface Drift {
  kind: DriftKind;
  account: string;
  subuser: string | null;
  footprint: 'teammate' | 'invitation';
  /** Teammate: the username. Invitation: the address. */
  target: string;
  email: string;
  /** Whose id `directoryId` is. */
  directory: string | null;
  directoryId: string | null;
  detail: string;
  /** false: to be reported only. */
  act: boolean;
  /** They are to have access, only perhaps another. */
  granted?: true;
}

/** One line of a directory's list. */
export interface Listed {
  directory: string;
  directoryId: string;
  standing: Standing;
  /** null: no app is configured. */
  assigned: boolean | null;
  /** Of the groups that grants name; null: not listed. */
  groups: string[] | null;
}

/** The directory's whole list, by lower-case address and by `idKey`. */
export type DirectoryIndex = ReadonlyMap<string, readonly Listed[]>;

/** Where the index has a person by their id; no address has a blank in it. */
export function idKey({ directory, directoryId }: { directory: string; directoryId: string }): string {
  return `id ${directory} ${directoryId}`;
}

/** Tells one person from another, as far as a finding knows. */
export function whoOf({ directory, directoryId, email }: Pick<Drift, 'directory' | 'directoryId' | 'email'>): string {
  if (directory === null || directoryId === null) return `address ${canonicalAddress(email)}`;
  return idKey({ directory, directoryId });
}

export interface Comparison {
  roster: Roster;
  account: AccountPolicy;
  index: DirectoryIndex;
  policy: Policy;
  /** Ties that exist already, and whom they lead to. */
  links: (Link & { directory: string; directoryId: string | null })[];
  /** Teammates that Sendoff restricted, by place and username. */
  restricted: ReadonlySet<string>;
  /** Usernames that the comparison before this one did not show. */
  newcomers: ReadonlySet<string>;
  /** Addresses that no directory could be asked for: nobody says whose they are, nor that they are nobody's. */
  unasked: ReadonlySet<string>;
}

export interface Found {
  drift: Drift[];
  /** Active, covered people and the teammates that are theirs without doubt: the ties to remember. */
  matched: Matched[];
}

export interface Matched {
  directory: string;
  directoryId: string;
  email: string;
  username: string;
  /** What their groups grant; null: no grants say who has access here. */
  granted: Granted | null;
}

/** Compares one account's roster with the directory's list. Whoever is never touched is not compared. */
export function findDrift(comparison: Comparison): Found {
  const { roster, account, policy } = comparison;
  const drift: Drift[] = [];
  const matched: Found['matched'] = [];
  const places = [
    { subuser: null, teammates: roster.teammates, invitations: roster.invitations },
    ...roster.subusers.map(({ name, teammates, invitations }) => ({ subuser: name, teammates, invitations })),
  ];
  for (const { subuser, teammates, invitations } of places) {
    for (const mate of teammates) {
      if (isExempt(mate, roster, policy)) {
        // Never touched, but known by their id: another address must not make them somebody new.
        const { match } = judge(comparison, subuser, mate);
        if (match !== null && subuser === null) matched.push({ ...match, granted: null, username: mate.username });
        continue;
      }
      const at = {
        account: account.name,
        subuser,
        footprint: 'teammate' as const,
        target: mate.username,
        email: mate.email,
      };
      const { drift: found, match } = judge(comparison, subuser, mate);
      if (found !== null) drift.push({ ...at, ...found });
      if (match !== null && subuser === null) matched.push({ ...match, username: mate.username });
    }
    for (const { email } of invitations) {
      if (isProtected(policy, [email])) continue;
      const at = { account: account.name, subuser, footprint: 'invitation' as const, target: email, email };
      const people = peopleOf(comparison, email);
      const person = people.length === 1 ? people[0] : undefined;
      if (people.length === 0 && !isUnasked(comparison, email)) drift.push({ ...at, ...orphan(policy) });
      else if (person?.standing === 'inactive') drift.push({ ...at, ...leaver(policy, person) });
    }
  }
  return { drift, matched };
}

type Finding = Pick<Drift, 'kind' | 'directory' | 'directoryId' | 'detail' | 'act' | 'granted'>;
type Whom = Pick<Finding, 'directory' | 'directoryId'>;

const nobody: Whom = { directory: null, directoryId: null };

function orphan({ reconcile }: Policy): Finding {
  const act = reconcile.orphans === 'remove';
  return { kind: 'orphan', ...nobody, detail: 'nobody in the directory has this address', act };
}

function leaver(policy: Policy, { directory, directoryId }: Whom, detail = 'deactivated in the directory'): Finding {
  return { kind: 'leaver', directory, directoryId, detail, act: policy.offboarding.terminated !== 'keep' };
}

function isExempt(mate: Teammate, roster: Roster, policy: Policy): boolean {
  return (
    mate.userType === 'owner' ||
    (roster.ownUsername !== null && mate.username === roster.ownUsername) ||
    isProtected(policy, [mate.email, mate.username])
  );
}

interface Judgement {
  drift: Finding | null;
  match: Omit<Matched, 'username'> | null;
}

function judge(comparison: Comparison, subuser: string | null, mate: Teammate): Judgement {
  const { account, policy, links, restricted, newcomers } = comparison;
  const link = subuser === null ? links.find((one) => one.username === mate.username) : undefined;
  const people = peopleOf(comparison, mate.email, link);
  const only = (drift: Finding): Judgement => ({ drift, match: null });
  if (hasTwin(comparison.roster, subuser, mate)) {
    const detail = 'several teammates here have this address, differing only in case';
    return only({ kind: 'ambiguous', ...nobody, detail, act: false });
  }
  if (people.length > 1) {
    const detail = 'several people of the directory have this address';
    return only({ kind: 'ambiguous', ...nobody, detail, act: false });
  }
  const person = people[0];
  if (person === undefined) {
    // Somebody whose id is known may be listed under another address, or be gone: asking for the id tells.
    if (!link?.directoryId)
      return isUnasked(comparison, mate.email) ? { drift: null, match: null } : only(orphan(policy));
    return only(leaver(policy, link, 'the directory no longer lists the person it once gave'));
  }
  const { directory, directoryId, standing, assigned, groups } = person;
  const whom = { directory, directoryId };
  const isRestricted = restricted.has(placeKey(account.name, subuser, mate.username));
  if (standing === 'inactive') {
    const isDone = policy.offboarding.terminated === 'restrict' && isRestricted;
    return isDone ? { drift: null, match: null } : only(leaver(policy, whom));
  }
  if (standing === 'suspended') {
    if (isRestricted) return { drift: null, match: null };
    return only({
      kind: 'suspended',
      ...whom,
      detail: 'suspended in the directory',
      act: policy.offboarding.suspended !== 'keep',
    });
  }
  // Somebody whom nothing ever covered is reported, not removed (design.md, evidence); SendGrid's own guests are new.
  const isGuest = mate.sso && subuser === null && newcomers.has(mate.username);
  const uncovered = (detail: string) =>
    only({ kind: isGuest ? 'arrival' : 'unassigned', ...whom, detail, act: isGuest || link !== undefined });
  if (assigned === false) return uncovered('active, but the app is not assigned to them');
  if (!isCoveredByGrants(policy, account.name)) {
    return { drift: renamed(comparison, link, mate, person), match: { ...whom, email: mate.email, granted: null } };
  }
  // Where members of groups can't be listed, only asking for the person tells.
  if (groups === null) return only({ kind: 'access', ...whom, detail: 'their groups have to be asked for', act: true });
  const granted = grantedRole(policy, account.name, groups);
  if (granted === null) return uncovered('active, but in no group that grants access here');
  const match = { ...whom, email: mate.email, granted };
  if (link !== undefined || subuser !== null) return { drift: renamed(comparison, link, mate, person), match };
  const detail = `new here; their groups grant ${granted.name}`;
  return { drift: { kind: 'arrival', ...whom, detail, act: true, granted: true }, match };
}

/** Known by the tie alone, under an address that SendGrid can't change (sendgrid.md §4). */
function renamed(
  { index, account, policy }: Comparison,
  link: Comparison['links'][number] | undefined,
  mate: Teammate,
  person: Listed,
): Finding | null {
  if (link === undefined || !mate.sso) return null;
  const isTheirs = byAddress(index, account, mate.email).some((one) => idKey(one) === idKey(person));
  if (isTheirs) return null;
  const { directory, directoryId } = person;
  const act = policy.provisioning.rename && account.sso;
  return {
    kind: 'renamed',
    directory,
    directoryId,
    detail: 'the directory no longer gives them this address',
    act,
    granted: true,
  };
}

function hasTwin(roster: Roster, subuser: string | null, { username, email }: Teammate): boolean {
  const place = subuser === null ? roster : roster.subusers.find(({ name }) => name === subuser);
  const address = canonicalAddress(email);
  return (place?.teammates ?? []).some(
    (other) => other.username !== username && canonicalAddress(other.email) === address,
  );
}

/** Who of the directory may a footprint with this address be? By the link's id if there is one, else by address. */
function peopleOf(
  { index, account }: Comparison,
  email: string,
  link?: Comparison['links'][number],
): readonly Listed[] {
  const found = byAddress(index, account, email);
  if (link === undefined || link.directoryId === null) return found;
  // A tie stands against whoever else has the address now.
  const { directory, directoryId } = link;
  return (
    index.get(idKey({ directory, directoryId })) ??
    found.filter((one) => one.directory === directory && one.directoryId === directoryId)
  );
}

function isUnasked({ unasked, account }: Comparison, email: string): boolean {
  return originsOf(account.identity, email).some((origin) => unasked.has(origin));
}

function byAddress(index: DirectoryIndex, { identity }: AccountPolicy, email: string): readonly Listed[] {
  const people = new Map<string, Listed>();
  const take = (found: readonly Listed[] = []) => {
    for (const person of found) people.set(idKey(person), person);
  };
  for (const origin of originsOf(identity, email)) take(index.get(origin));
  if (!leadsBack(identity)) take(filled(index, identity).get(canonicalAddress(email)));
  return [...people.values()];
}

const filledIndexes = new WeakMap<DirectoryIndex, Map<string, Map<string, Listed[]>>>();

/** What a template that leaves a part of the address out makes of everybody's. */
function filled(index: DirectoryIndex, identity: string): Map<string, Listed[]> {
  const known = filledIndexes.get(index) ?? new Map<string, Map<string, Listed[]>>();
  filledIndexes.set(index, known);
  let addresses = known.get(identity);
  if (addresses === undefined) {
    addresses = new Map();
    for (const [key, people] of index) {
      if (!isAddress(key)) continue;
      const address = canonicalAddress(fillTemplate(identity, key));
      addresses.set(address, [...(addresses.get(address) ?? []), ...people]);
    }
    known.set(identity, addresses);
  }
  return addresses;
}

export function placeKey(account: string, subuser: string | null, username: string): string {
  return `${account}\n${subuser ?? ''}\n${username}`;
}
