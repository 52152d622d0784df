import { canonicalAddress, isAddress } from '#shared/lifecycle/address.js';
import type { BelongingNoun } from './belonging.js';
import { distinct } from './carry.js';
import { getSetting, putSetting } from './mail-settings.js';

/**
 * Recipients whom no suppression stops: addresses and whole domains. The leaver's go, nobody takes their place: whether
 * the successor wants such mail is not ours to say (sendgrid.md §8).
 */
export const addressWhitelist: BelongingNoun = {
  async list(client) {
    const addresses = distinct(((await getSetting(client, 'address_whitelist'))?.list ?? []).filter(isAddress));
    if (addresses.length === 0) return [];
    return [{ kind: 'address-whitelist', id: 'address-whitelist', label: 'address allow list', addresses }];
  },

  async look(client, _id, from) {
    const entries = (await getSetting(client, 'address_whitelist'))?.list ?? [];
    const theirs = entries.filter((entry) => from.has(canonicalAddress(entry)));
    if (theirs.length === 0) return { kind: 'clear' };
    return { kind: 'carries', fields: { list: theirs.join(', ') }, step: 'remove' };
  },

  async act(client, _id, from) {
    const setting = await getSetting(client, 'address_whitelist');
    const entries = setting?.list ?? [];
    const list = entries.filter((entry) => !from.has(canonicalAddress(entry)));
    if (setting === null || list.length === entries.length) return;
    await putSetting(client, 'address_whitelist', setting, { list });
  },
};
