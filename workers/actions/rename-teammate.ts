import { setAccess } from '#shared/sendgrid/teammates.js';
import type { DraftOf, Effect } from './action.js';
import { type SightedTeammate, sightTeammate } from './sight-teammate.js';

/** Wanted: the SSO teammate has the directory's name. SendGrid takes names only together with access (sendgrid.md §4). */
export const renameTeammate: Effect<DraftOf<'rename'>, SightedTeammate> = {
  async look({ sendgrid }, draft) {
    const sighting = await sightTeammate(sendgrid, draft, { subusers: true });
    if (sighting === null) return { kind: 'as-wanted', seen: null };
    if (sighting.kind === 'refused') return sighting;
    const { firstName, lastName } = sighting.found.teammate;
    const seen = { fields: { firstName: firstName ?? '', lastName: lastName ?? '' } };
    const isThere = firstName === draft.firstName && lastName === draft.lastName;
    return isThere ? { kind: 'as-wanted', seen } : { ...sighting, seen, record: null };
  },
  async act({ sendgrid }, { firstName, lastName }, { teammate, access }) {
    await setAccess(sendgrid, { ...teammate, firstName, lastName }, access);
  },
};
