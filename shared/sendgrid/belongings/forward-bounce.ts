import type { BelongingNoun } from './belonging.js';
import { carried, distinct, isEmpty, successorOf } from './carry.js';
import { getSetting, putSetting } from './mail-settings.js';

/** Where bounces go: one address (sendgrid.md §8). An address that is kept while the setting is off counts too. */
export const forwardBounce: BelongingNoun = {
  async list(client) {
    const addresses = distinct([(await getSetting(client, 'forward_bounce'))?.email]);
    if (addresses.length === 0) return [];
    return [{ kind: 'forward-bounce', id: 'forward-bounce', label: 'bounce forwarding', addresses }];
  },

  async look(client, _id, from) {
    const fields = carried({ email: (await getSetting(client, 'forward_bounce'))?.email }, from);
    return isEmpty(fields) ? { kind: 'clear' } : { kind: 'carries', fields, step: 'change' };
  },

  async act(client, _id, from, to) {
    const setting = await getSetting(client, 'forward_bounce');
    if (setting === null || isEmpty(carried({ email: setting.email }, from))) return;
    await putSetting(client, 'forward_bounce', setting, { email: successorOf(client, 'bounce forwarding', from, to) });
  },
};
