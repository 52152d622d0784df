import { canonicalAddress } from '#shared/lifecycle/address.js';
import { deleteInvitation, listInvitations } from '#shared/sendgrid/invitations.js';
import type { DraftOf, Effect } from './action.js';

/** Wanted: no pending invitation of this address. SendGrid may hold several; the tokens stay in memory. */
export const deprovisionInvitation: Effect<DraftOf<'deprovision'>, string[]> = {
  async look({ sendgrid }, draft) {
    const open = (await listInvitations(sendgrid)).filter(
      ({ email }) => canonicalAddress(email) === canonicalAddress(draft.target),
    );
    if (open.length === 0) return { kind: 'as-wanted', seen: null };
    return {
      kind: 'differs',
      seen: { admin: open.some(({ admin }) => admin), scopes: [], subusers: null },
      record: null,
      found: open.map(({ token }) => token),
    };
  },
  async act({ sendgrid }, _draft, tokens) {
    for (const token of tokens) await deleteInvitation(sendgrid, token);
  },
};
