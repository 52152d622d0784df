import { deleteApiKey, listApiKeys } from '#shared/sendgrid/api-keys.js';
import { changeKeyOwner, keyOwner } from '#shared/store/key-register.js';
import type { DraftOf, Effect } from './action.js';

/** Wanted: the account has no such key. It may go on working for minutes (sendgrid.md §2): the recheck looks again. */
export const revokeKey: Effect<DraftOf<'revoke'>> = {
  async look({ sendgrid }, { target }) {
    const key = (await listApiKeys(sendgrid)).find(({ id }) => id === target);
    if (key === undefined) return { kind: 'as-wanted', seen: null };
    return { kind: 'differs', seen: { fields: { name: key.name } }, record: null, found: null };
  },
  async act({ sendgrid }, { target }) {
    await deleteApiKey(sendgrid, target);
  },
};

/** Wanted: the key register names the successor. SendGrid keeps no owner, so nothing is sent there. */
export const handOverKey: Effect<DraftOf<'hand-over'>> = {
  async look({ db }, { account, subuser, target, to }) {
    const owner = await keyOwner(db, { account, subuser, id: target });
    const seen = { fields: { owner: owner ?? '' } };
    return owner === to.toLowerCase()
      ? { kind: 'as-wanted', seen }
      : { kind: 'differs', seen, record: null, found: null };
  },
  async act({ db }, { account, subuser, target, to }) {
    await changeKeyOwner(db, { account, subuser, id: target }, to);
  },
};
