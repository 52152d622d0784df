import { canonicalAddress } from '../address.js';
import type { Situation } from '../situation.js';
import type { ActionDraft, Guard, Removed, Roster } from '../types.js';

/** What an operator ordered back, from the records kept at its removal; what is there already is left alone. */
export function bringBackActions({ restore }: Situation, roster: Roster): ActionDraft[] {
  const placeOf = ({ subuser, email }: Removed) => `${subuser ?? ''}\n${canonicalAddress(email)}`;
  const here = restore.filter((record) => record.account === roster.account);
  return [...new Map(here.map((record) => [placeOf(record), record])).values()]
    .filter(({ subuser, email }) => {
      const place = subuser === null ? roster : roster.subusers.find((one) => one.name === subuser);
      // A subuser that can't be read is no place to create somebody in.
      if (place === undefined) return false;
      const same = (other: { email: string }) => canonicalAddress(other.email) === canonicalAddress(email);
      return !place.teammates.some(same) && !place.invitations.some(same);
    })
    .map(
      ({ recordId, account, subuser, email, firstName, lastName, sso, access }): ActionDraft => ({
        kind: 'provision',
        footprint: 'teammate',
        account,
        subuser,
        target: email,
        email,
        admin: false,
        reason: 'An operator ordered their access back',
        // The SSO endpoint doesn't know subusers (sendgrid.md §2): into one, somebody is invited.
        sso: sso && subuser === null,
        firstName,
        lastName,
        wanted: access,
        persona: null,
        recordId,
        replaces: null,
      }),
    );
}

/** What a record may say too much of is given back only by a human who has looked. */
export function doubtfulRecords({ restore }: Situation, actions: readonly ActionDraft[]): Guard[] {
  return actions.flatMap((action): Guard[] => {
    const recordId = action.kind === 'provision' ? action.recordId : null;
    const record = restore.find((one) => one.recordId === recordId);
    if (record === undefined || record.accessRead) return [];
    const detail = 'whether they were confined to subusers could not be read when they were removed: this may be more';
    return [{ rule: 'ambiguous', account: action.account, target: action.target, detail }];
  });
}
