import { addressesIn, canonicalAddress } from '../address.js';
import type { Situation, Successor } from '../situation.js';
import type { AccountPolicy, ActionDraft, Policy, Roster, Todo } from '../types.js';
import type { Footprints } from './footprints.js';

export interface Handover {
  actions: ActionDraft[];
  todos: Todo[];
}

/** Without a successor an address can still be taken out of a list of addresses. */
const lists = new Set(['forward-spam', 'address-whitelist']);

/** What the person leaves behind in an account, and who gets it (sendgrid.md §8). */
export function handOverBelongings(
  situation: Situation,
  roster: Roster,
  account: AccountPolicy,
  { offboarding }: Policy,
  footprints: Footprints,
  reason: string,
): Handover {
  const mine = addressesIn(account.identity, situation.person.emails);
  const { actions, todos }: Handover = { actions: [], todos: [] };
  const heir = heirOf(situation, mine);
  for (const belonging of [...roster.belongings].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))) {
    if (!offboarding.reassign.includes(belonging.kind)) continue;
    const from = [...new Set(belonging.addresses.map(canonicalAddress))].filter((one) => mine.has(one)).sort();
    if (from.length === 0) continue;
    const { kind, id, label, subuser } = belonging;
    const others = belonging.addresses.some((one) => !mine.has(canonicalAddress(one)));
    const to = kind === 'address-whitelist' ? null : heir.email;
    if (to === null && !(kind === 'address-whitelist' || (lists.has(kind) && others))) {
      todos.push({
        account: account.name,
        text: `${label} carries ${from.join(', ')} and nobody takes it over: ${heir.why}`,
      });
      continue;
    }
    actions.push({
      kind: 'reassign',
      footprint: kind,
      account: account.name,
      subuser,
      target: id,
      email: from[0] ?? '',
      admin: false,
      reason: to === null ? reason : `${reason}; ${heir.why}`,
      label,
      from,
      to,
    });
  }
  return { actions, todos: [...todos, ...byHand(mine, roster, account.name, footprints)] };
}

/** Nobody inherits from themselves. */
export function heirOf({ successor }: Pick<Situation, 'successor'>, mine: ReadonlySet<string>): Successor {
  if (successor.email === null || !mine.has(canonicalAddress(successor.email))) return successor;
  return { email: null, why: 'the configured successor is the leaver' };
}

/** What no API can change or even show. */
function byHand(mine: Set<string>, roster: Roster, account: string, footprints: Footprints): Todo[] {
  const contacts = [...roster.subusers]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .filter(({ email }) => mine.has(canonicalAddress(email)))
    .map(({ name }) => ({
      account,
      text: `the contact address of subuser ${name} is theirs: change it in SendGrid’s settings of that subuser`,
    }));
  if (footprints.places.length === 0) return contacts;
  return [
    ...contacts,
    {
      account,
      text: 'account e-mail and billing contact: see Settings › Account Details, the API shows no one’s name there; templates, campaigns and contacts they made stay as they are',
    },
  ];
}

function keyOf({ subuser, kind, id }: Roster['belongings'][number]): string {
  return `${subuser ?? ''}\n${kind}\n${id}`;
}
