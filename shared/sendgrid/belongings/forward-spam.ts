import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { BelongingNoun } from './belonging.js';
import { distinct, successorOf } from './carry.js';
import { getSetting, putSetting } from './mail-settings.js';

/** Where spam reports go: one string with any number of addresses, the others of which stay (sendgrid.md §8). */
export const forwardSpam: BelongingNoun = {
  async list(client) {
    const addresses = entriesOf(await getSetting(client, 'forward_spam'));
    if (addresses.length === 0) return [];
    return [{ kind: 'forward-spam', id: 'forward-spam', label: 'spam report forwarding', addresses }];
  },

  async look(client, _id, from) {
    const theirs = entriesOf(await getSetting(client, 'forward_spam')).filter((entry) => isIn(from, entry));
    if (theirs.length === 0) return { kind: 'clear' };
    return { kind: 'carries', fields: { email: theirs.join(', ') }, step: 'change' };
  },

  async act(client, _id, from, to) {
    const setting = await getSetting(client, 'forward_spam');
    const entries = entriesOf(setting);
    const others = entries.filter((entry) => !isIn(from, entry));
    if (setting === null || others.length === entries.length) return;
    // Others go on receiving it: then it can do without a successor.
    const heir = to === null && others.length > 0 ? null : successorOf(client, 'spam report forwarding', from, to);
    const next = distinct(entries.map((entry) => (isIn(from, entry) ? heir : entry)));
    await putSetting(client, 'forward_spam', setting, { email: next.join(', ') });
  },
};

function entriesOf(setting: { email?: string | null | undefined } | null): string[] {
  return distinct((setting?.email ?? '').split(','));
}

function isIn(from: ReadonlySet<string>, entry: string): boolean {
  return from.has(canonicalAddress(entry));
}
