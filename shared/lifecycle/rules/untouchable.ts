import { canonicalAddress } from '../address.js';
import type { ActionDraft, Guard, Person, Policy, Roster } from '../types.js';

/** Whoever is never touched, whatever happens: `protect` entries, the account's owner, the key's own principal. */
export function refusal(action: ActionDraft, person: Person, roster: Roster, policy: Policy): Guard | null {
  const guard = (rule: Guard['rule'], detail: string): Guard => ({
    rule,
    account: action.account,
    target: action.target,
    detail,
  });
  if (isProtected(policy, [action.email, action.target, ...person.emails])) {
    return guard('protected', 'listed under `protect` in the configuration');
  }
  if (action.footprint !== 'teammate') return null;
  const place = action.subuser === null ? roster : roster.subusers.find(({ name }) => name === action.subuser);
  const teammate = place?.teammates.find((candidate) => candidate.username === action.target);
  if (teammate?.userType === 'owner') {
    return guard('owner', 'owns this SendGrid account; ownership has to be moved by hand in SendGrid first');
  }
  if (roster.ownUsername !== null && action.target === roster.ownUsername) {
    return guard('own-key', 'Sendoff works here with this person’s API key; give Sendoff another key first');
  }
  return null;
}

/** Is one of these addresses or usernames listed under `protect`? */
export function isProtected({ protect }: Pick<Policy, 'protect'>, names: readonly string[]): boolean {
  const entries = new Set(protect.map(canonicalAddress));
  return names.some((name) => entries.has(canonicalAddress(name)));
}
