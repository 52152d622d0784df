import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { Access, ActionDraft, Teammate } from '#shared/lifecycle/types.js';
import type { SendGridClient } from '#shared/sendgrid/client.js';
import { getTeammate, username } from '#shared/sendgrid/teammates.js';
import type { Sighting } from './action.js';

export interface SightedTeammate {
  teammate: Teammate;
  access: Access;
}

/**
 * Who bears this username now, and is it still whom the plan meant? A name can be given to somebody else.
 * @returns null when nobody bears it
 */
export async function sightTeammate(
  client: SendGridClient,
  { target, email }: ActionDraft,
  options: { subusers: boolean },
): Promise<Extract<Sighting<SightedTeammate>, { kind: 'differs' | 'refused' }> | null> {
  const found = await getTeammate(client, username(target), options);
  if (found === null) return null;
  const { teammate, access } = found;
  if (teammate.userType === 'owner') return { kind: 'refused', why: 'this username is the account’s owner now' };
  if (canonicalAddress(teammate.email) !== canonicalAddress(email)) {
    return { kind: 'refused', why: 'this username belongs to another address now' };
  }
  const { firstName, lastName, sso } = teammate;
  const record = { email: teammate.email, firstName, lastName, sso, access, subusersRead: options.subusers };
  return { kind: 'differs', seen: access, record, found };
}
