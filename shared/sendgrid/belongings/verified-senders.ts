import type { SendGridClient } from '../client.js';
import { SendGridRefused } from '../errors.js';
import type { BelongingNoun, BelongingState } from './belonging.js';
import { legacySenderPath, listCampaignSenders, marketingSenderPath } from './campaign-senders.js';
import { carried, distinct, isEmpty, sameAddress, successorOf } from './carry.js';
import { locked, unlessLocked } from './lock.js';
import {
  createIdentity,
  deleteIdentity,
  identityOf,
  isProved,
  listVerifiedSenders,
  remindIdentity,
  updateIdentity,
  type VerifiedSender,
} from './verified-identity.js';

// `from_email` is never changed: that would un-verify a sender in use, and nothing could be sent from it until somebody
// clicks. Instead the successor gets a sender, proves it, and only then does the leaver's go (sendgrid.md §8).

export const verifiedSenders: BelongingNoun = {
  async list(client) {
    const senders = await listVerifiedSenders(client);
    return senders.map(({ id, nickname, from_email, reply_to }) => ({
      kind: 'verified-sender',
      id,
      label: `verified sender ${nickname || from_email || id}`,
      addresses: distinct([from_email, reply_to]),
    }));
  },

  async look(client, id, from, to) {
    return (await assess(client, id, from, to)).state;
  },

  async act(client, id, from, to, step) {
    const { state, sender, senders } = await assess(client, id, from, to);
    if (sender === undefined || state.kind !== 'carries' || state.step !== step) return;
    const heir = successorOf(client, 'verified sender', from, to);
    const moved = { ...sender, reply_to: 'reply_to' in state.fields ? heir : sender.reply_to };
    if (step === 'create') await createIdentity(client, moved, heir, senders);
    else if (step === 'delete') await unlessLocked(() => deleteIdentity(client, id));
    else await unlessLocked(() => updateIdentity(client, id, moved));
  },

  remind: (client, _id, to) => remindIdentity(client, to),
};

async function assess(
  client: SendGridClient,
  id: string,
  from: ReadonlySet<string>,
  to: string | null,
): Promise<{ state: BelongingState; sender: VerifiedSender | undefined; senders: VerifiedSender[] }> {
  const senders = await listVerifiedSenders(client);
  const sender = senders.find((one) => one.id === id);
  const state = sender === undefined ? ({ kind: 'clear' } as const) : await stateOf(client, sender, senders, from, to);
  return { state, sender, senders };
}

async function stateOf(
  client: SendGridClient,
  sender: VerifiedSender,
  senders: VerifiedSender[],
  from: ReadonlySet<string>,
  to: string | null,
): Promise<BelongingState> {
  const fields = carried({ from_email: sender.from_email, reply_to: sender.reply_to }, from);
  if (isEmpty(fields)) return { kind: 'clear' };
  // A reply address needs no proof (sendgrid.md §8).
  if (fields.from_email === undefined) {
    return sender.locked === true ? locked : { kind: 'carries', fields, step: 'change-reply-to' };
  }
  const identity = to === null ? null : identityOf(senders, to);
  if (identity === null) return { kind: 'carries', fields, step: 'create' };
  if (!isProved(identity)) {
    return { kind: 'pending', why: `${to} has not answered SendGrid’s verification mail yet`, remind: true };
  }
  if (sender.locked === true) return locked;
  const user = await stillSendsAs(client, fields.from_email);
  return user === null
    ? { kind: 'carries', fields, step: 'delete' }
    : { kind: 'pending', why: `the sender “${user}” of Marketing Campaigns still sends from it`, remind: false };
}

/** Whoever uses the old one is to be switched first, or could send no more. Whoever may not be read, is not waited for. */
async function stillSendsAs(client: SendGridClient, address: string): Promise<string | null> {
  for (const path of [marketingSenderPath, legacySenderPath] as const) {
    try {
      const users = await listCampaignSenders(client, path);
      const user = users.find((one) => sameAddress(one.from?.email, address));
      if (user !== undefined) return user.nickname || user.id;
    } catch (error) {
      if (!(error instanceof SendGridRefused && error.code === 'SENDGRID_FORBIDDEN')) throw error;
    }
  }
  return null;
}
