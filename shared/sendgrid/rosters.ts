import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, SendoffError, WaitError } from '#shared/errors.js';
import type {
  Access,
  AccessRequest,
  ApiKey,
  Invitation,
  Policy,
  Roster,
  SubuserRoster,
  Teammate,
} from '#shared/lifecycle/types.js';
import { isBreakerOpen } from '#shared/store/accounts.js';
import { type Db, databaseNow } from '#shared/store/database.js';
import { noteKeys } from '#shared/store/key-register.js';
import {
  abandonReading,
  type RosterPart,
  removedSince,
  type StoredPart,
  storedPart,
  storeReading,
  takeReading,
} from '#shared/store/rosters.js';
import { listAccessRequests } from './access-requests.js';
import type { SendGridClient } from './client.js';
import { listInvitations } from './invitations.js';
import {
  type PartRead,
  readBelongings,
  readKeys,
  readSubusers,
  type SubuserPart,
  unreadPart,
  withoutSubusers,
} from './roster-parts.js';
import { getTeammate, listTeammates, username } from './teammates.js';
import { ownUsername } from './user.js';

const ownUserFreshMs = 10 * 60_000;
/** The oldest lists that may be shared when new ones can't be read yet (design.md, numbers). */
const sharedForMs = 60_000;
/** While another worker reads, its reading is waited for this long; then the job waits instead. */
const waitForOtherMs = 5_000;
const pollMs = 40;
/** So short a wait for a new reading is slept. */
const shortWaitMs = 100;

export interface RosterFreshness {
  teammatesSince: Date;
  invitationsSince: Date;
  /** Subusers, access requests, belongings and keys: never older than a minute, and not than this. */
  partsSince: Date;
  /** Belongings and keys too: somebody leaves. */
  leaving: boolean;
  /** An operator is waiting for it: read anew however often it was read a moment ago. */
  urgent: boolean;
}

export interface RosterSource {
  db: Db;
  clients: ReadonlyMap<string, SendGridClient>;
  policy: Policy;
}

/**
 * An account's roster, no older than asked. Lists are kept in the database and shared by everybody who needs them, so
 * that a burst of leavers costs a few readings and not one each. A reading that fails or breaks off replaces nothing.
 * @param showing asked about lists up to a minute old when newer ones can't be read yet: true accepts them
 * @throws WaitError when it was read too often a moment ago or SendGrid refuses the key, and what the client throws
 */
export async function readRoster(
  { db, clients, policy }: RosterSource,
  account: string,
  freshness: RosterFreshness,
  showing?: (roster: Parent) => boolean,
): Promise<Roster> {
  const client = clients.get(account);
  if (client === undefined) {
    throw new SendoffError(`there is no account ${account} in the configuration`, {
      code: 'ACCOUNT_UNKNOWN',
      blame: 'input',
    });
  }
  if (await isBreakerOpen(db, account)) {
    throw new WaitError(`SendGrid refuses the key of ${account}; it is not read until it accepts it again`, 30_000, {
      code: 'ACCOUNT_BREAKER_OPEN',
      blame: 'remote',
    });
  }
  const parent = await readParent(db, client, freshness, showing);
  return { ...parent, ...(await readRest(db, client, policy, freshness)) };
}

/** What one teammate of a parent may do now, subusers included; null when there is none of that name. */
export async function readAccess(
  clients: ReadonlyMap<string, SendGridClient>,
  account: string,
  name: string,
): Promise<Access | null> {
  const client = clients.get(account);
  if (client === undefined) return null;
  return (await getTeammate(client, username(name), { subusers: true }))?.access ?? null;
}

type Parent = Pick<Roster, 'account' | 'readAt' | 'teammates' | 'invitations' | 'ownUsername' | 'ownKeyId'>;
type Rest = Omit<Roster, keyof Parent>;

async function readParent(
  db: Db,
  client: SendGridClient,
  freshness: RosterFreshness,
  showing: ((roster: Parent) => boolean) | undefined,
): Promise<Parent> {
  try {
    return await readLists(db, client, freshness);
  } catch (error) {
    const tooSoon = error instanceof WaitError && error.code === 'ROSTER_THROTTLED';
    const shared = tooSoon && showing !== undefined ? await sharedLists(db, client) : null;
    if (shared !== null && showing?.(shared)) return shared;
    throw error;
  }
}

async function readLists(
  db: Db,
  client: SendGridClient,
  { teammatesSince, invitationsSince, urgent }: RosterFreshness,
): Promise<Parent> {
  const { account } = client;
  const part = (name: RosterPart, since: Date, read: (earlier: StoredPart | null) => Promise<unknown>) =>
    freshPart(db, account, name, since, urgent, read);
  const ownSince = new Date((await databaseNow(db)) - ownUserFreshMs);
  const [teammates, invitations, own] = await Promise.all([
    part('teammates', teammatesSince, (earlier) => readTeammates(db, client, earlier)),
    part('invitations', invitationsSince, async () =>
      (await listInvitations(client)).map(({ token: _, ...rest }) => rest),
    ),
    part('own-user', ownSince, async () => ({ username: await ownUsername(client) })),
  ]);
  return assemble(client, teammates, invitations, own);
}

/** What is stored, if all of it is there and none of it too old. */
async function sharedLists(db: Db, client: SendGridClient): Promise<Parent | null> {
  const [teammates, invitations, own] = await Promise.all([
    storedPart(db, client.account, 'teammates'),
    storedPart(db, client.account, 'invitations'),
    storedPart(db, client.account, 'own-user'),
  ]);
  if (teammates === null || invitations === null || own === null) return null;
  const oldest = Math.min(teammates.readAt.getTime(), invitations.readAt.getTime());
  return (await databaseNow(db)) - oldest > sharedForMs ? null : assemble(client, teammates, invitations, own);
}

function assemble(client: SendGridClient, teammates: StoredPart, invitations: StoredPart, own: StoredPart): Parent {
  return {
    account: client.account,
    readAt: new Date(Math.min(teammates.readAt.getTime(), invitations.readAt.getTime())),
    teammates: teammates.items as Teammate[],
    invitations: (invitations.items as Invitation[]).map(revived),
    ownUsername: (own.items as { username: string | null }).username,
    ownKeyId: client.keyId,
  };
}

function revived(invitation: Invitation): Invitation {
  return { ...invitation, expiresAt: invitation.expiresAt === null ? null : new Date(invitation.expiresAt) };
}

/** The parts that a minute more or less does not matter for; whatever of them can't be read is named in `unread`. */
async function readRest(
  db: Db,
  client: SendGridClient,
  policy: Policy,
  { partsSince, leaving }: RosterFreshness,
): Promise<Rest> {
  const { account } = client;
  const since = new Date(Math.max(partsSince.getTime(), (await databaseNow(db)) - sharedForMs));
  const part = async <T>(name: RosterPart, nothing: T, read: () => Promise<PartRead<T>>): Promise<PartRead<T>> => {
    try {
      return (await freshPart(db, account, name, since, true, read)).items as PartRead<T>;
    } catch (error) {
      return { items: nothing, unread: [unreadPart(account, name, error)] };
    }
  };
  const sweep = policy.accounts.find(({ name }) => name === account)?.subusers ?? 'none';
  const named = sweep !== 'none' || rolesNameSubusers(policy, account);
  const [subusers, requests] = await Promise.all([
    named
      ? part<SubuserPart['items']>('subusers', withoutSubusers().items, () => readSubusers(client, sweep))
      : withoutSubusers(),
    part<AccessRequest[]>('access-requests', [], async () => ({ items: await listAccessRequests(client), unread: [] })),
  ]);
  const names = subusers.items.swept.map(({ name }) => name);
  const [belongings, keys] = leaving
    ? await Promise.all([
        part<Roster['belongings']>('belongings', [], () => readBelongings(client, policy.offboarding.reassign, names)),
        part<ApiKey[]>('keys', [], async () => {
          const read = await readKeys(client, names);
          await noteKeys(db, account, read.items, read.unread.length === 0);
          return read;
        }),
      ])
    : [];
  return {
    accessRequests: requests.items,
    subusers: subusers.items.swept.map((one): SubuserRoster => ({ ...one, invitations: one.invitations.map(revived) })),
    subuserIds: subusers.items.ids,
    belongings: belongings?.items ?? [],
    keys: keys?.items ?? [],
    unread: [subusers, requests, belongings, keys].flatMap((read) => read?.unread ?? []),
  };
}

function rolesNameSubusers({ grants, roles }: Policy, account: string): boolean {
  return grants.some((grant) => grant.account === account && roles[grant.role]?.kind === 'subusers');
}

async function freshPart(
  db: Db,
  account: string,
  part: RosterPart,
  since: Date,
  urgent: boolean,
  read: (earlier: StoredPart | null) => Promise<unknown>,
): Promise<StoredPart> {
  const giveUpAt = Date.now() + waitForOtherMs;
  for (;;) {
    const stored = await storedPart(db, account, part);
    if (stored !== null && stored.readAt >= since) return stored;
    const turn = await takeReading(db, account, part, urgent);
    if (turn.kind === 'yours') {
      try {
        // The turn may have been free because somebody has just read.
        const newer = await storedPart(db, account, part);
        if (newer !== null && newer.readAt >= since) {
          await abandonReading(db, account, part);
          return newer;
        }
        await storeReading(db, account, part, turn.startedAt, await read(newer));
      } catch (error) {
        await abandonReading(db, account, part).catch(() => undefined);
        throw error;
      }
    } else if (turn.kind === 'too-soon' && turn.waitMs <= shortWaitMs && Date.now() <= giveUpAt) {
      await sleep(turn.waitMs);
    } else if (turn.kind === 'too-soon') {
      // A reading under way may have ended between the two looks: then it serves this caller too.
      const newer = await storedPart(db, account, part);
      if (newer !== null && newer.readAt >= since) return newer;
      throw new WaitError(
        `the ${part} of ${account} were read often a moment ago; the next reading serves all who wait`,
        turn.waitMs,
        {
          code: 'ROSTER_THROTTLED',
          blame: 'remote',
        },
      );
    } else if (Date.now() > giveUpAt) {
      throw new WaitError(`the ${part} of ${account} are still being read`, 1_000, {
        code: 'ROSTER_UNDER_WAY',
        blame: 'remote',
      });
    } else {
      await sleep(pollMs);
    }
  }
}

/**
 * A list can miss people: entries slide between pages while others are deleted, and a page may be stale. Who was there
 * before and was not removed by us is looked for once more; present in either reading is present.
 */
async function readTeammates(db: Db, client: SendGridClient, earlier: StoredPart | null): Promise<Teammate[]> {
  const first = await listTeammates(client);
  if (earlier === null) return first;
  const removed = await removedSince(db, client.account, earlier.readAt);
  const present = new Set(first.map((mate) => mate.username));
  const vanished = (earlier.items as Teammate[]).filter(
    ({ username }) => !present.has(username) && !removed.has(username),
  );
  if (vanished.length === 0) return first;
  const second = await listTeammates(client).catch((error: unknown) => {
    throw new SendoffError(
      `the teammates of ${client.account} shrank and could not be read again: ${messageOf(error)}`,
      {
        code: 'ROSTER_SHRANK',
        blame: 'remote',
        cause: error,
      },
    );
  });
  return [...new Map([...first, ...second].map((mate) => [mate.username, mate])).values()];
}
