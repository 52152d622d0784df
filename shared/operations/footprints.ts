import { addressesIn, canonicalAddress } from '#shared/lifecycle/address.js';
import type { Policy } from '#shared/lifecycle/types.js';
import { type FoundFootprint, findFootprints } from '#shared/store/account-rosters.js';
import type { Db } from '#shared/store/database.js';

/** Where somebody was last seen, under the address that each account knows them by. */
export async function footprintsOf(
  db: Db,
  policy: Policy,
  emails: string[],
  links: { account: string; username: string }[],
): Promise<FoundFootprint[]> {
  const here = new Map(policy.accounts.map(({ name, identity }) => [name, addressesIn(identity, emails)]));
  const anywhere = new Set([...emails.map(canonicalAddress), ...[...here.values()].flatMap((set) => [...set])]);
  const found = await findFootprints(db, [...anywhere], links);
  return found.filter(
    ({ account, email, target }) =>
      (here.get(account) ?? new Set(emails)).has(canonicalAddress(email)) ||
      links.some((link) => link.account === account && link.username === target),
  );
}
