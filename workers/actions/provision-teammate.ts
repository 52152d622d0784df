import { canonicalAddress } from '#shared/lifecycle/address.js';
import { holdsAccess, missingScopes } from '#shared/lifecycle/rules/grants.js';
import type { Teammate } from '#shared/lifecycle/types.js';
import type { SendGridClient } from '#shared/sendgrid/client.js';
import { SendGridRefused } from '#shared/sendgrid/errors.js';
import { inviteTeammate, listInvitations } from '#shared/sendgrid/invitations.js';
import { createSsoTeammate, getTeammate, listTeammates, setAccess, username } from '#shared/sendgrid/teammates.js';
import type { DraftOf, Effect } from './action.js';
import { isWhatItMeans, meaningOf } from './set-teammate-access.js';

type Found = { teammate: Teammate } | null;

/** Wanted: a teammate with this access; where SSO is not used, an invitation, which the person has to accept. */
export const provisionTeammate: Effect<DraftOf<'provision'>, Found> = {
  async look({ sendgrid, db }, draft, before) {
    const teammate = await find(sendgrid, draft.email);
    if (teammate !== null) {
      const detail = await getTeammate(sendgrid, username(teammate.username), { subusers: true });
      if (detail === null || !draft.sso || holdsAccess(detail.access, draft.wanted)) {
        return { kind: 'as-wanted', seen: detail?.access ?? null };
      }
      if (draft.persona !== null && (await isWhatItMeans(db, draft, detail.access, before))) {
        const note = meaningOf(draft.persona, missingScopes(detail.access, draft.wanted));
        return { kind: 'as-wanted', seen: detail.access, note };
      }
      // It was made, and part of what it was to have was dropped without a word (sendgrid.md §1.6).
      return { kind: 'differs', seen: detail.access, record: null, found: { teammate } };
    }
    const isInvited = (await listInvitations(sendgrid)).some(({ email }) => same(email, draft.email));
    if (!draft.sso && isInvited) return { kind: 'as-wanted', seen: { fields: { invited: 'yes' } } };
    return { kind: 'differs', seen: { fields: { present: 'no' } }, record: null, found: null };
  },
  async act({ sendgrid }, draft, found) {
    if (found !== null) return setAccess(sendgrid, found.teammate, draft.wanted, draft.persona);
    const { email, firstName, lastName, wanted, persona } = draft;
    if (!draft.sso) return inviteTeammate(sendgrid, email, wanted);
    try {
      await createSsoTeammate(sendgrid, { email, firstName, lastName }, wanted, persona);
    } catch (error) {
      // SendGrid may have let them in itself meanwhile (JIT, sendgrid.md §4): then they are brought to the same.
      const made =
        error instanceof SendGridRefused && /exists/i.test(error.message) ? await find(sendgrid, email) : null;
      if (made === null) throw error;
      await setAccess(sendgrid, made, wanted, persona);
    }
  },
};

async function find(sendgrid: SendGridClient, email: string): Promise<Teammate | null> {
  return (await listTeammates(sendgrid)).find((mate) => same(mate.email, email)) ?? null;
}

function same(a: string, b: string): boolean {
  return canonicalAddress(a) === canonicalAddress(b);
}
