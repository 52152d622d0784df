import type { SendGridClient } from '../client.js';
import type { BelongingNoun, BelongingState } from './belonging.js';
import {
  awaitsClick,
  type CampaignSender,
  fieldsCarried,
  getCampaignSender,
  listCampaignSenders,
  moveSender,
  marketingSenderPath as path,
  resendVerification,
  toBelonging,
} from './campaign-senders.js';
import { isEmpty, successorOf } from './carry.js';
import { locked } from './lock.js';
import { createIdentity, identityOf, isProved, listVerifiedSenders, remindIdentity } from './verified-identity.js';

// `from.email` changes only to an address that is a verified sender already, so that campaigns never stop; an account
// whose leaver sent by an authenticated domain may have none for the successor, so one is made. Replies need no proof and
// move at once (sendgrid.md §8).

export const marketingSenders: BelongingNoun = {
  async list(client) {
    return (await listCampaignSenders(client, path)).map((one) => toBelonging('sender', 'sender', one));
  },

  async look(client, id, from, to) {
    const sender = await getCampaignSender(client, path, id);
    return sender === null ? { kind: 'clear' } : stateOf(client, sender, from, to);
  },

  async act(client, id, from, to, step) {
    const sender = await getCampaignSender(client, path, id);
    const state = sender === null ? null : await stateOf(client, sender, from, to);
    if (sender === null || state?.kind !== 'carries' || state.step !== step) return;
    const heir = successorOf(client, 'sender', from, to);
    const { 'from.email': _, ...replies } = state.fields;
    if (step === 'change') await moveSender(client, path, sender, state.fields, heir);
    else if (step === 'change-reply-to') await moveSender(client, path, sender, replies, heir);
    else await createVerified(client, sender, from, heir);
  },

  async remind(client, id, to) {
    const sender = await getCampaignSender(client, path, id);
    if (sender !== null && awaitsClick(sender, to)) await resendVerification(client, path, id);
    else await remindIdentity(client, to);
  },
};

async function stateOf(
  client: SendGridClient,
  sender: CampaignSender,
  from: ReadonlySet<string>,
  to: string | null,
): Promise<BelongingState> {
  const unanswered = `${to} has not answered SendGrid’s verification mail yet`;
  const fields = fieldsCarried(sender, from);
  if (isEmpty(fields)) {
    return awaitsClick(sender, to) ? { kind: 'pending', why: unanswered, remind: true } : { kind: 'clear' };
  }
  if (sender.locked === true) return locked;
  if (fields['from.email'] === undefined) return { kind: 'carries', fields, step: 'change-reply-to' };
  const identity = to === null ? null : identityOf(await listVerifiedSenders(client), to);
  if (to === null || isProved(identity)) return { kind: 'carries', fields, step: 'change' };
  if (fields['reply_to.email'] !== undefined) return { kind: 'carries', fields, step: 'change-reply-to' };
  return identity === null
    ? { kind: 'carries', fields, step: 'create-verified-sender' }
    : { kind: 'pending', why: unanswered, remind: true };
}

async function createVerified(
  client: SendGridClient,
  sender: CampaignSender,
  from: ReadonlySet<string>,
  to: string,
): Promise<void> {
  const { from: party, reply_to: replies, address_2: address2, ...rest } = sender;
  const reply_to = replies?.email && !from.has(replies.email.toLowerCase()) ? replies.email : to;
  const like = { ...rest, address2, from_name: party?.name, reply_to, reply_to_name: replies?.name };
  await createIdentity(client, like, to, await listVerifiedSenders(client));
}
