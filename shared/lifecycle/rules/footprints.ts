import { addressesIn, canonicalAddress } from '../address.js';
import type { Situation } from '../situation.js';
import type { AccessRequest, AccountPolicy, Guard, Invitation, Roster, Teammate } from '../types.js';

/** Where one person is found in one account, and what makes that finding doubtful. */
export interface Footprints {
  /** The parent first, then the subusers by name; places without a trace of the person are left out. */
  places: Place[];
  accessRequests: AccessRequest[];
  ambiguities: Guard[];
}

/** The parent account, or one subuser of it. */
export interface Place {
  subuser: string | null;
  teammates: Teammate[];
  /** One entry for each address; SendGrid may hold several invitations of one address. */
  invitations: Invitation[];
}

/** By stored link, else by address: exact, over all addresses, unique on both sides; whatever is not, is held. */
export function findFootprints(situation: Situation, roster: Roster, account: AccountPolicy): Footprints {
  const { person, foreignLinks, sharedAddresses } = situation;
  const addresses = addressesIn(account.identity, person.emails);
  const linked = new Set(person.links.filter((link) => link.account === account.name).map((link) => link.username));
  const foreign = new Set(foreignLinks.filter((link) => link.account === account.name).map((link) => link.username));
  const sharedHere = addressesIn(account.identity, sharedAddresses);

  const ambiguities: Guard[] = [];
  const doubt = (target: string, detail: string) =>
    ambiguities.push({ rule: 'ambiguous', account: account.name, target, detail });
  const lookInto = (subuser: string | null, all: Pick<Roster, 'teammates' | 'invitations'>): Place => {
    const isTheirs = (mate: Teammate) =>
      (subuser === null && linked.has(mate.username)) || addresses.has(canonicalAddress(mate.email));
    const teammates = all.teammates.filter(isTheirs).sort((a, b) => order(a.username, b.username));
    const invitations = distinctByAddress(all.invitations.filter((i) => addresses.has(canonicalAddress(i.email))));
    for (const mate of teammates) {
      const address = canonicalAddress(mate.email);
      const twins = all.teammates.filter((other) => canonicalAddress(other.email) === address);
      if (twins.length > 1)
        doubt(mate.username, `${twins.length} teammates here have this address, differing only in case`);
      if (subuser === null && foreign.has(mate.username))
        doubt(mate.username, 'this teammate is linked to another person of the directory');
      if (sharedHere.has(address)) {
        const isNameOnly = !addresses.has(address);
        doubt(
          mate.username,
          isNameOnly
            ? 'the directory gives this teammate’s address to somebody else: the name may have been given away'
            : 'the directory has this address under two ids',
        );
      }
    }
    for (const invitation of invitations) {
      if (sharedHere.has(canonicalAddress(invitation.email))) {
        doubt(invitation.email, 'the directory has this address under two ids');
      }
    }
    return { subuser, teammates, invitations };
  };

  const subusers = [...roster.subusers].sort((a, b) => order(a.name, b.name));
  const places = [lookInto(null, roster), ...subusers.map((subuser) => lookInto(subuser.name, subuser))].filter(
    (place) => place.teammates.length + place.invitations.length > 0,
  );
  const usernames = new Set(places.flatMap((place) => place.teammates.map((mate) => mate.username)));
  const accessRequests = roster.accessRequests
    .filter((request) => usernames.has(request.username) || addresses.has(canonicalAddress(request.email)))
    .sort((a, b) => order(a.id, b.id));
  for (const { id, username, email } of accessRequests) {
    const asker = ambiguities.find(({ target }) => target !== null && target === username);
    if (asker !== undefined) doubt(id, asker.detail);
    else if (sharedHere.has(canonicalAddress(email))) doubt(id, 'the directory has this address under two ids');
  }
  return { places, accessRequests, ambiguities };
}

function distinctByAddress(invitations: Invitation[]): Invitation[] {
  const distinct = new Map<string, Invitation>();
  for (const invitation of invitations) {
    const email = canonicalAddress(invitation.email);
    const earlier = distinct.get(email);
    distinct.set(email, { ...invitation, email, admin: invitation.admin || (earlier?.admin ?? false) });
  }
  return [...distinct.values()].sort((a, b) => order(a.email, b.email));
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
