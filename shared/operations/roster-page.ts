import { grantedRole } from '#shared/lifecycle/rules/grants.js';
import type { Policy, Teammate } from '#shared/lifecycle/types.js';
import { type Known, type StoredInvitation, storedPeople, whoIsWho } from '#shared/store/account-rosters.js';
import type { Db } from '#shared/store/database.js';

/** `arrived`: SendGrid let them in by itself at a sign-in. `no-grant`: the directory knows them, and gives them nothing here. */
export const rosterFilters = ['orphan', 'admin', 'arrived', 'no-grant', 'leaving', 'invitation', 'expired'] as const;
export type RosterFlag = (typeof rosterFilters)[number];

interface RosterItem {
  id: string;
  state: 'teammate' | 'invitation';
  person: { id: string | null; email: string };
  username: string | null;
  name: string | null;
  userType: string | null;
  admin: boolean;
  sso: boolean;
  expiresAt: string | null;
  flags: RosterFlag[];
}

/** A page of an account's people as last read; the cursor is a place in the list, which changes only when it is read anew. */
export async function readRosterPage(
  { db, policy }: { db: Db; policy: Policy },
  account: string,
  query: { limit: number; before?: string | undefined; filter?: RosterFlag | undefined; search?: string | undefined },
) {
  const stored = await storedPeople(db, account);
  if (stored === null) return { items: [], next: null, readAt: null, total: 0 };
  const hasGrants = policy.grants.some((grant) => grant.account === account);
  const covers = (groups: string[]) => !hasGrants || grantedRole(policy, account, groups) !== null;
  const describe = async (people: (Teammate | StoredInvitation)[]): Promise<RosterItem[]> => {
    const known = await whoIsWho(
      db,
      account,
      people.filter((one) => 'username' in one),
    );
    return people.map((one) =>
      'username' in one ? teammateItem(one, known.get(one.username), covers) : invitationItem(one, Date.now()),
    );
  };
  const people = [...stored.teammates, ...stored.invitations]
    .filter((one) => resembles(one, query.search?.toLowerCase()))
    .sort((a, b) => (a.email < b.email ? -1 : 1));
  const readAt = stored.readAt.toISOString();
  const { filter } = query;
  if (filter !== undefined) {
    const items = (await describe(people)).filter(({ flags }) => flags.includes(filter));
    return { ...pageOf(items, query), readAt };
  }
  // Who somebody is, is asked only of those who are shown.
  const page = pageOf(people, query);
  return { ...page, items: await describe(page.items), readAt };
}

function resembles(one: Teammate | StoredInvitation, wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  return one.email.toLowerCase().includes(wanted) || ('username' in one && one.username.toLowerCase().includes(wanted));
}

function pageOf<T>(all: T[], { limit, before = '0' }: { limit: number; before?: string | undefined }) {
  const to = Number(before) + limit;
  return { items: all.slice(Number(before), to), next: to < all.length ? String(to) : null, total: all.length };
}

function teammateItem(
  { username, email, userType, admin, sso, firstName, lastName }: Teammate,
  known: Known | undefined,
  covers: (groups: string[]) => boolean,
): RosterItem {
  const personId = known?.personId ?? null;
  const isOwner = userType === 'owner';
  const flags: [RosterFlag, boolean][] = [
    ['orphan', personId === null && !isOwner],
    ['admin', admin || isOwner],
    ['arrived', sso && !isOwner && known?.arrived === true],
    ['no-grant', personId !== null && !covers(known?.groups ?? [])],
    ['leaving', known?.leaving === true],
  ];
  return {
    id: `teammate ${username}`,
    state: 'teammate',
    person: { id: personId, email },
    username,
    name: [firstName, lastName].filter((part) => part !== null && part !== '').join(' ') || null,
    userType,
    admin,
    sso,
    expiresAt: null,
    flags: flags.flatMap(([flag, holds]) => (holds ? [flag] : [])),
  };
}

function invitationItem({ email, admin, expiresAt }: StoredInvitation, now: number): RosterItem {
  const isOver = expiresAt !== null && new Date(expiresAt).getTime() < now;
  return {
    id: `invitation ${email}`,
    state: 'invitation',
    person: { id: null, email },
    username: null,
    name: null,
    userType: null,
    admin,
    sso: false,
    expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    flags: ['invitation', ...(admin ? (['admin'] as const) : []), ...(isOver ? (['expired'] as const) : [])],
  };
}
