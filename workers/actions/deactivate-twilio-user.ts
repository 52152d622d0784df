import type { TwilioUser } from '#shared/twilio/client.js';
import type { DraftOf, Effect } from './action.js';

/** Wanted: the Twilio user can't sign in. It says nothing of SendGrid, where they are removed besides (sendgrid.md §11). */
export const deactivateTwilioUser: Effect<DraftOf<'deactivate'>, TwilioUser> = {
  async look({ twilio }, draft) {
    const user = await twilio.readUser(draft.target);
    if (user === null) return { kind: 'as-wanted', seen: null };
    if (user.userName.toLowerCase() !== draft.email.toLowerCase()) {
      return { kind: 'refused', why: 'this Twilio user bears another name now' };
    }
    const seen = { fields: { active: String(user.active) } };
    return user.active ? { kind: 'differs', seen, record: null, found: user } : { kind: 'as-wanted', seen };
  },
  async act({ twilio }, _draft, user) {
    await twilio.deactivate(user);
  },
};
