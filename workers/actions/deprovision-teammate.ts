import { SendGridRefused } from '#shared/sendgrid/errors.js';
import { deleteTeammate, username } from '#shared/sendgrid/teammates.js';
import type { DraftOf, Effect } from './action.js';
import { sightTeammate } from './sight-teammate.js';

/** Wanted: no teammate of this username. */
export const deprovisionTeammate: Effect<DraftOf<'deprovision'>> = {
  async look({ sendgrid }, draft, before) {
    // What they may do inside subusers belongs on the restore record; once they are deleted nobody asks.
    const confined = 'confined' in draft && draft.confined && before === undefined;
    const sight = (subusers: boolean) => sightTeammate(sendgrid, draft, { subusers });
    const sighting = await sight(confined).catch((error: unknown) => {
      if (!confined || !(error instanceof SendGridRefused)) throw error;
      // A key that may not ask keeps nobody in: they go, and the record says what it lacks.
      return sight(false);
    });
    if (sighting === null) return { kind: 'as-wanted', seen: null };
    if (sighting.kind === 'refused' || confined) return sighting;
    return { ...sighting, record: sighting.record && { ...sighting.record, subusersRead: true } };
  },
  async act({ sendgrid }, draft) {
    await deleteTeammate(sendgrid, username(draft.target));
  },
};
