import { denyAccessRequest, listAccessRequests } from '#shared/sendgrid/access-requests.js';
import type { DraftOf, Effect } from './action.js';

/** Wanted: this wish for more access is answered with no (sendgrid.md §5). */
export const denyRequest: Effect<DraftOf<'deprovision'>> = {
  async look({ sendgrid }, { target }) {
    const request = (await listAccessRequests(sendgrid)).find(({ id }) => id === target);
    if (request === undefined) return { kind: 'as-wanted', seen: null };
    return { kind: 'differs', seen: { fields: { asks: request.scopeGroup } }, record: null, found: null };
  },
  async act({ sendgrid }, { target }) {
    await denyAccessRequest(sendgrid, target);
  },
};
