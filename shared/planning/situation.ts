import type { Directories } from '#shared/directory/directories.js';
import type { Directory } from '#shared/directory/directory.js';
import { DirectoryUnavailable } from '#shared/directory/directory.js';
import { WaitError } from '#shared/errors.js';
import { isReadOnly } from '#shared/lifecycle/access.js';
import { addressesIn, canonicalAddress, originsOf } from '#shared/lifecycle/address.js';
import { grantedRole } from '#shared/lifecycle/rules/grants.js';
import { isOutdated } from '#shared/lifecycle/rules/readdress.js';
import { standingVerdict } from '#shared/lifecycle/rules/verdict.js';
import type { Situation } from '#shared/lifecycle/situation.js';
import type {
  Access,
  Evidence,
  LifecycleEventType,
  Link,
  Policy,
  Roster,
  Teammate,
  TwilioAccess,
  Unread,
} from '#shared/lifecycle/types.js';
import { twilioAccount } from '#shared/lifecycle/types.js';
import { unreadPart } from '#shared/sendgrid/roster-parts.js';
import { appliedAccess } from '#shared/store/actions.js';
import type { Db } from '#shared/store/database.js';
import { unprovenReason } from '#shared/store/inbox.js';
import { registeredKeys } from '#shared/store/key-register.js';
import { type Proposals, standingOrder } from '#shared/store/orders.js';
import { foreignLinks, type PersonRow, personsWith } from '#shared/store/people.js';
import { openRestrictions, removedAccess } from '#shared/store/restore-records.js';
import { inSpan } from '#shared/telemetry/trace.js';
import type { InTime, Round } from './in-time.js';
import { findSuccessor } from './successor.js';

/** Where a situation is read from. */
export interface Surroundings {
  db: Db;
  directories: Directories;
  policy: Policy;
  /** Reads an account's roster, or throws when its own lists can't be read whole. */
  readRoster(account: string, freshness: RosterFreshness, showing?: (lists: Lists) => boolean): Promise<Roster>;
  /** What one teammate of a parent may do; null when there is none of that name. */
  readAccess(account: string, username: string): Promise<Access | null>;
  /** See `InTime`. */
  inTime: InTime;
  /** The person's Twilio user; null when there is none, or Twilio is no target. */
  findTwilioUser(emails: string[]): Promise<TwilioAccess | null>;
}

type Lists = Pick<Roster, 'account' | 'teammates' | 'invitations'>;

export interface Freshness {
  /** A list read before this moment says too little. */
  teammatesSince: Date;
  invitationsSince: Date;
  partsSince: Date;
  /** An operator is waiting. */
  urgent: boolean;
}

type RosterFreshness = Freshness & { leaving: boolean };

/** Who is asked about, and what is known of the asking. */
export interface Question {
  person: PersonRow;
  now: Date;
  /** The event that asked; null for a look by an operator. */
  eventType: LifecycleEventType | null;
  /** Did an authenticated event name both id and address? Then "not found" may mean "gone". */
  named: boolean;
  /** The address alone was given and several people have it. */
  ambiguousAddress: string | null;
  freshness: Freshness;
  /**
   * Only to plan: then a roster that is a little too old will do if the person is on it, for every action looks again.
   * That somebody is absent always takes a fresh one.
   */
  planning: boolean;
  /** Access read back a moment ago. */
  known?: Situation['known'];
  /** Does an order that nobody has approved yet count? Default: a source's does. */
  proposals?: Proposals;
  /** An operator ordered the person's access back. */
  restoring?: boolean;
  /** See `Situation`. */
  orphan?: boolean;
  arrivals?: Link[];
}

/** An account that could not be read, for whatever reason, is tried again after this long. */
const rereadMs = 30_000;

/**
 * Reads everything a plan depends on: the directory, which is the truth, and every account's roster. An account that
 * can't be read is `unread`; a directory that gives no clear answer is thrown, because nothing is planned on a guess.
 * @throws DirectoryUnavailable
 */
export async function readSituation(surroundings: Surroundings, question: Question): Promise<Situation> {
  const { db, policy } = surroundings;
  const { person, orphan = false } = question;
  const directory = surroundings.directories.of(person.directory);
  const evidence = await readEvidence(directory, question);
  const emails = evidence.kind === 'found' ? [...new Set(evidence.person.emails.map(canonicalAddress))] : person.emails;
  // An order stands against who left the address that it names behind, too: see `remember`.
  const order = await standingOrder(
    db,
    [...new Set([...emails, ...person.emails])],
    question.proposals ?? 'of-sources',
  );
  const left = person.emails.filter((email) => !emails.includes(email));
  const { verdict } = standingVerdict({ evidence, order, orphan });
  const leaving = verdict === 'leaver' && policy.offboarding.terminated !== 'keep';
  // Who only looks, wants to see it all.
  const round: Round = question.eventType === null ? (_, ask) => ask() : surroundings.inTime.round();
  const twilioUnread: Unread[] = [];
  const [{ rosters, unread }, twilio] = await Promise.all([
    readRosters(
      surroundings,
      round,
      { ...question.freshness, leaving },
      question.planning ? (lists) => findsSomebody(lists, emails, person.links, policy) : undefined,
    ),
    leaving ? readTwilio(surroundings, round, emails, twilioUnread) : null,
  ]);
  unread.push(...twilioUnread);
  const situation: Situation = {
    now: question.now,
    person: { id: person.id, directoryId: person.directoryId, emails, links: person.links },
    evidence,
    order,
    orphan,
    leavingSince: person.leavingSince,
    eventType: question.eventType,
    rosters,
    unread,
    sharedAddresses: question.ambiguousAddress === null ? [] : [question.ambiguousAddress],
    foreignLinks: await foreignLinks(
      db,
      person.id,
      candidates(rosters, emails, policy),
      after(surroundings.directories, person.directory),
    ),
    restrictions: await openRestrictions(db, person.id),
    known: [...(question.known ?? [])],
    applied: [],
    successor: leaving
      ? await findSuccessor(directory, policy, evidence, person)
      : { email: null, why: 'nobody leaves' },
    restore: question.restoring === true ? await removedAccess(db, await personsWith(db, emails)) : [],
    registeredKeys: leaving ? await keysOf(db, rosters, left, emails[0]) : [],
    arrivals: await guestsAmong(surroundings, question.arrivals ?? [], unread),
    twilio,
  };
  if (verdict === 'keep') await readWhatTheyMay(surroundings, situation);
  situation.sharedAddresses.push(...(await sharedAddresses(directory, situation.person, rosters, policy)));
  return situation;
}

/** The authorities that come after this one. */
function after({ authorities }: Directories, name: string): string[] {
  const rank = authorities.findIndex((authority) => authority.name === name);
  return rank < 0 ? [] : authorities.slice(rank + 1).map((authority) => authority.name);
}

/** The register's entries of these accounts; those under an address that the person left behind are theirs still. */
async function keysOf(db: Db, rosters: Roster[], left: string[], now?: string): Promise<Situation['registeredKeys']> {
  const accounts = rosters.map(({ account }) => account);
  const keys = await registeredKeys(db, accounts);
  return keys.map((key) => (now !== undefined && left.includes(key.owner) ? { ...key, owner: now } : key));
}

async function readTwilio(
  { policy, findTwilioUser }: Surroundings,
  round: Round,
  emails: string[],
  unread: Unread[],
): Promise<TwilioAccess | null> {
  if (policy.twilio === null) return null;
  try {
    return await round(twilioAccount, () => findTwilioUser(emails));
  } catch (error) {
    unread.push(unreadPart(twilioAccount, null, error));
    return null;
  }
}

/** Where groups grant a role, or an address has changed, what the person's teammates may do now: no list tells. */
async function readWhatTheyMay({ db, policy, readAccess }: Surroundings, situation: Situation): Promise<void> {
  const { evidence, known, person, rosters, unread } = situation;
  if (evidence.kind !== 'found') return;
  const { rescope, rename } = policy.provisioning;
  const mates = rosters
    .filter(
      (roster) =>
        (rescope && grantedRole(policy, roster.account, evidence.person.groups) !== null) ||
        (rename && outdatedMates(roster, person, policy).length > 0),
    )
    .flatMap((roster) => candidates([roster], person.emails, policy).concat(linksOf(roster, person.links)));
  const unique = [...new Map(mates.map((mate) => [`${mate.account}\n${mate.username}`, mate])).values()];
  await Promise.all(
    unique.map(async ({ account, username }) => {
      if (known.some((k) => k.account === account && k.subuser === null && k.username === username)) return;
      try {
        const access = await readAccess(account, username);
        if (access !== null) known.push({ account, subuser: null, username, access });
      } catch (error) {
        unread.push(unreadPart(account, null, error));
      }
    }),
  );
  situation.applied = await appliedAccess(db, unique);
}

/** Of teammates seen for the first time, those that have what SendGrid gives to whom it lets in by itself. */
async function guestsAmong({ readAccess }: Surroundings, arrivals: Link[], unread: Unread[]): Promise<Link[]> {
  const guests: Link[] = [];
  for (const arrival of arrivals) {
    try {
      const access = await readAccess(arrival.account, arrival.username);
      if (access !== null && isReadOnly(access)) guests.push(arrival);
    } catch (error) {
      unread.push(unreadPart(arrival.account, null, error));
    }
  }
  return guests;
}

/** Teammates tied to the person under an address that is none of theirs any more. */
function outdatedMates(roster: Roster, { emails, links }: Situation['person'], policy: Policy): Teammate[] {
  const account = policy.accounts.find(({ name }) => name === roster.account);
  const mine = new Set(linksOf(roster, links).map(({ username }) => username));
  return roster.teammates.filter(
    (mate) => mine.has(mate.username) && account !== undefined && isOutdated(mate, account, emails),
  );
}

function linksOf(roster: Roster, links: Link[]): Link[] {
  return links.filter(
    (link) => link.account === roster.account && roster.teammates.some((mate) => mate.username === link.username),
  );
}

function readEvidence(directory: Directory, question: Question): Promise<Evidence> {
  return inSpan('read directory', { 'sendoff.source': directory.name }, async (note) => {
    const evidence = await askDirectory(directory, question);
    note({ 'sendoff.evidence': evidence.kind });
    return evidence;
  });
}

async function askDirectory(directory: Directory, { person, named }: Question): Promise<Evidence> {
  if (person.directoryId === null) return { kind: 'unlisted' };
  const answer = await directory.read(person.directoryId);
  if (answer.kind === 'found') return { kind: 'found', person: answer.person };
  if (person.seen || named) return { kind: 'gone' };
  throw new DirectoryUnavailable(unprovenReason, 60_000, {
    code: 'DIRECTORY_UNPROVEN',
    blame: 'remote',
    remedy: 'check the id in the directory; `sendoff offboard` if they left',
  });
}

async function readRosters(
  { policy, readRoster }: Surroundings,
  round: Round,
  freshness: RosterFreshness,
  showing: ((lists: Lists) => boolean) | undefined,
): Promise<{ rosters: Roster[]; unread: Unread[] }> {
  const rosters: Roster[] = [];
  const unread: Unread[] = [];
  await Promise.all(
    policy.accounts.map(async ({ name }) => {
      try {
        const read = () =>
          inSpan('read roster', { 'sendoff.account': name }, () => readRoster(name, freshness, showing));
        rosters.push(await round(name, read));
      } catch (error) {
        // However it was refused: an account that can't be read at all is tried again.
        const { retryMs, ...said } = unreadPart(name, null, error);
        unread.push({ ...said, retryMs: error instanceof WaitError ? error.delayMs : (retryMs ?? rereadMs) });
      }
    }),
  );
  return { rosters, unread };
}

function findsSomebody(roster: Lists, emails: string[], links: Link[], policy: Policy): boolean {
  const addresses = addressesHere(roster.account, emails, policy);
  const linked = new Set(links.filter((link) => link.account === roster.account).map((link) => link.username));
  return (
    roster.teammates.some((mate) => linked.has(mate.username) || addresses.has(canonicalAddress(mate.email))) ||
    roster.invitations.some((invitation) => addresses.has(canonicalAddress(invitation.email)))
  );
}

/** Teammates that these addresses point at. */
function candidates(rosters: Roster[], emails: string[], policy: Policy): Link[] {
  return rosters.flatMap((roster) => {
    const addresses = addressesHere(roster.account, emails, policy);
    return roster.teammates
      .filter((mate) => addresses.has(canonicalAddress(mate.email)))
      .map(({ username }) => ({ account: roster.account, username }));
  });
}

/**
 * Of the addresses of what would be taken for the person's, those that the directory gives to another id too: an address
 * that was given away, or a teammate's name that somebody else bears now.
 */
async function sharedAddresses(
  directory: Directory,
  person: Situation['person'],
  rosters: Roster[],
  policy: Policy,
): Promise<string[]> {
  const shared = new Set<string>();
  const claimed = new Map<string, Set<string>>();
  const claim = (origin: string, address: string) =>
    claimed.set(origin, (claimed.get(origin) ?? new Set()).add(address));
  for (const roster of rosters) {
    const identity = identityOf(roster.account, policy);
    for (const address of addressesOf(roster, person, policy)) {
      const mine = person.emails.filter((email) => addressesIn(identity, [email]).has(address));
      for (const origin of [...mine, ...originsOf(identity, address)]) {
        claim(origin, address);
      }
    }
    // Whoever is to be made under their new address needs it for themselves.
    const current = person.emails[0];
    if (current !== undefined && outdatedMates(roster, person, policy).length > 0) claim(current, current);
  }
  for (const [origin, addresses] of claimed) {
    const holders = await directory.findByEmail(origin);
    if (!holders.some((holder) => holder.directoryId !== person.directoryId)) continue;
    for (const address of addresses) shared.add(address);
  }
  return [...shared];
}

/** Addresses, in all places of an account, of everything that may be the person's. */
function addressesOf(roster: Roster, { emails, links }: Situation['person'], policy: Policy): Set<string> {
  const mine = addressesHere(roster.account, emails, policy);
  const linked = new Set(linksOf(roster, links).map(({ username }) => username));
  const carried = [roster, ...roster.subusers].flatMap((place) => [...place.teammates, ...place.invitations]);
  const all = [
    ...[...carried, ...roster.accessRequests].map(({ email }) => email),
    ...roster.belongings.flatMap(({ addresses }) => addresses),
  ].map(canonicalAddress);
  const ofLinked = roster.teammates.filter(({ username }) => linked.has(username)).map(({ email }) => email);
  return new Set([...all.filter((address) => mine.has(address)), ...ofLinked.map(canonicalAddress)]);
}

function addressesHere(account: string, emails: string[], policy: Policy): Set<string> {
  return addressesIn(identityOf(account, policy), emails);
}

function identityOf(account: string, policy: Policy): string {
  return policy.accounts.find((candidate) => candidate.name === account)?.identity ?? '{email}';
}
