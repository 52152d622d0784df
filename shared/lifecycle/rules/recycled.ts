import { addressesIn, canonicalAddress } from '../address.js';
import type { Situation } from '../situation.js';
import type { AccountPolicy, Policy } from '../types.js';
import { type Footprints, findFootprints } from './footprints.js';

/** Of what was found, what lies under an address that was given to somebody else: it may be the former holder's. */
export function recycledFootprints(
  { recycledAddresses }: Situation,
  { places, accessRequests, ambiguities }: Footprints,
  { identity }: AccountPolicy,
): Footprints {
  const recycled = addressesIn(identity, recycledAddresses);
  const isThere = ({ email }: { email: string }) => recycled.has(canonicalAddress(email));
  return {
    places: places
      .map(({ subuser, teammates, invitations }) => ({
        subuser,
        teammates: teammates.filter(isThere),
        invitations: invitations.filter(isThere),
      }))
      .filter(({ teammates, invitations }) => teammates.length + invitations.length > 0),
    accessRequests: accessRequests.filter(isThere),
    ambiguities,
  };
}

/** Was everything read, and is nothing of a former holder left? */
export function isNothingLeft(situation: Situation, policy: Policy): boolean {
  return (
    situation.unread.length === 0 &&
    situation.rosters.every((roster) => {
      const account = policy.accounts.find(({ name }) => name === roster.account);
      if (account === undefined) return true;
      const left = recycledFootprints(situation, findFootprints(situation, roster, account), account);
      return roster.unread.length === 0 && left.places.length + left.accessRequests.length === 0;
    })
  );
}
