import { deleteTeammate, username } from '#shared/sendgrid/teammates.js';
import type { DraftOf, Effect } from './action.js';
import { sightTeammate } from './sight-teammate.js';

/** Wanted: no teammate of this username. */
export const deprovisionTeammate: Effect<DraftOf<'deprovision'>> = {
  async look({ sendgrid }, draft, before) {
    // What they may do inside subusers belongs on the restore record; once they are deleted nobody asks.
    const confined = 'confined' in draft && draft.confined && before === undefined;
    return (await sightTeammate(sendgrid, draft, { subusers: confined })) ?? { kind: 'as-wanted', seen: null };
  },
  async act({ sendgrid }, draft) {
    await deleteTeammate(sendgrid, username(draft.target));
  },
};
