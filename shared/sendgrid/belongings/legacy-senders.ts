import type { BelongingNoun, BelongingState } from './belonging.js';
import {
  awaitsClick,
  type CampaignSender,
  fieldsCarried,
  getCampaignSender,
  listCampaignSenders,
  moveSender,
  legacySenderPath as path,
  resendVerification,
  toBelonging,
} from './campaign-senders.js';
import { isEmpty, successorOf } from './carry.js';
import { locked } from './lock.js';

// The legacy product knows no verified senders: an address is proved on the sender itself, after the change. So it is
// changed at once and can't send until the successor has clicked; there is no order in which it could (sendgrid.md §8).

export const legacySenders: BelongingNoun = {
  async list(client) {
    return (await listCampaignSenders(client, path)).map((one) => toBelonging('legacy-sender', 'legacy sender', one));
  },

  async look(client, id, from, to) {
    return stateOf(await getCampaignSender(client, path, id), from, to);
  },

  async act(client, id, from, to, step) {
    const sender = await getCampaignSender(client, path, id);
    const state = stateOf(sender, from, to);
    if (sender === null || state.kind !== 'carries' || state.step !== step) return;
    await moveSender(client, path, sender, state.fields, successorOf(client, 'legacy sender', from, to));
  },

  async remind(client, id, to) {
    const sender = await getCampaignSender(client, path, id);
    if (sender !== null && awaitsClick(sender, to)) await resendVerification(client, path, id);
  },
};

function stateOf(sender: CampaignSender | null, from: ReadonlySet<string>, to: string | null): BelongingState {
  if (sender === null) return { kind: 'clear' };
  const fields = fieldsCarried(sender, from);
  if (!isEmpty(fields)) return sender.locked === true ? locked : { kind: 'carries', fields, step: 'change' };
  return awaitsClick(sender, to)
    ? { kind: 'pending', why: `${to} has not answered SendGrid’s verification mail yet`, remind: true }
    : { kind: 'clear' };
}
