import { canonicalAddress } from '#shared/lifecycle/address.js';
import { holdsAccess, missingScopes } from '#shared/lifecycle/rules/grants.js';
import type { SendGridClient } from '#shared/sendgrid/client.js';
import { deleteTeammate, getTeammate, listTeammates, username } from '#shared/sendgrid/teammates.js';
import type { DraftOf, Effect, Sighting } from './action.js';
import { isWhatItMeans } from './set-teammate-access.js';
import { sightTeammate } from './sight-teammate.js';

/** Wanted: no teammate of this username, once the one under the person's new address has what this one is to leave them. */
export const retireTeammate: Effect<DraftOf<'retire'>> = {
  async look(reach, draft): Promise<Sighting> {
    const sighting = await sightTeammate(reach.sendgrid, draft, { subusers: false });
    if (sighting === null) return { kind: 'as-wanted', seen: null };
    if (sighting.kind === 'refused') return sighting;
    const why = await whatHeirLacks(reach, draft);
    return why === null ? { ...sighting, record: null } : { kind: 'pending', why, remind: false };
  },
  async act({ sendgrid }, draft) {
    await deleteTeammate(sendgrid, username(draft.target));
  },
};

/** Nobody is left without access: what stands in its place is seen before anything is taken. */
async function whatHeirLacks(
  { sendgrid, db }: Parameters<Effect['look']>[0],
  { account, heir, wanted, persona }: DraftOf<'retire'>,
): Promise<string | null> {
  const named = await getTeammate(sendgrid, username(heir), { subusers: true });
  // Whoever is made under an address may be listed in another spelling of it.
  const found = named ?? (await underAddress(sendgrid, heir));
  if (found === null) return 'the teammate under their new address is not there yet';
  const { access } = found;
  if (holdsAccess(access, wanted)) return null;
  if (persona !== null && (await isWhatItMeans(db, { account, target: heir, persona }, access, undefined))) return null;
  const missing = missingScopes(access, wanted).join(', ');
  return `the teammate under their new address does not have the same access yet${missing === '' ? '' : ` (without ${missing})`}`;
}

async function underAddress(sendgrid: SendGridClient, address: string): ReturnType<typeof getTeammate> {
  const mates = await listTeammates(sendgrid);
  const mate = mates.find(({ email, sso }) => sso && canonicalAddress(email) === canonicalAddress(address));
  return mate === undefined ? null : getTeammate(sendgrid, username(mate.username), { subusers: true });
}
