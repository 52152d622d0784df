import { z } from 'zod';
import type { Belonging, BelongingKind } from '#shared/lifecycle/belonging.js';
import { unlessAbsent } from '../absence.js';
import type { SendGridClient } from '../client.js';
import { carried, distinct, sameAddress } from './carry.js';
import { unlessLocked } from './lock.js';
import { verification } from './verified-identity.js';

// Senders of Marketing Campaigns and of its legacy version: one shape at two addresses (sendgrid.md §8).

export const marketingSenderPath = '/v3/marketing/senders';
export const legacySenderPath = '/v3/senders';
type Path = typeof marketingSenderPath | typeof legacySenderPath;

const text = z.string().nullish();
const party = z.object({ email: text, name: text }).nullish();
const item = z.object({
  id: z.union([z.int().transform(String), z.string().min(1)]),
  nickname: text,
  from: party,
  reply_to: party,
  address: text,
  address_2: text,
  city: text,
  state: text,
  zip: text,
  country: text,
  verified: verification,
  locked: z.boolean().nullish(),
});
// The specification wraps the list in one way or the other, StrongGrid reads a bare one (sendgrid.md §8).
const list = z.union([
  z.array(item),
  z.object({ results: z.array(item) }).transform(({ results }) => results),
  z.object({ result: z.array(item) }).transform(({ result }) => result),
]);

export type CampaignSender = z.infer<typeof item>;

/** All of them: at most 100, on one page (sendgrid.md §8). */
export function listCampaignSenders(client: SendGridClient, path: Path): Promise<CampaignSender[]> {
  return unlessAbsent([], () => client.call({ method: 'GET', path, answer: list }));
}

/** @returns null when there is no such sender */
export function getCampaignSender(client: SendGridClient, path: Path, id: string): Promise<CampaignSender | null> {
  return unlessAbsent(null, () => client.call({ method: 'GET', path: `${path}/{id}`, params: { id }, answer: item }));
}

/**
 * Puts the successor into these fields and nowhere else. The names stay: whether they are a person's or a company's
 * can't be told. `from` and `reply_to` are sent whole, as a name left out may be a name refused (tsg_lmc_senders_v3.yaml).
 * @throws SendGridLocked when a campaign holds it by now
 */
export function moveSender(
  client: SendGridClient,
  path: Path,
  sender: CampaignSender,
  fields: Record<string, string>,
  to: string,
): Promise<void> {
  const body = {
    ...('from.email' in fields ? { from: { email: to, name: sender.from?.name || sender.nickname || to } } : {}),
    ...('reply_to.email' in fields
      ? { reply_to: { email: to, ...(sender.reply_to?.name ? { name: sender.reply_to.name } : {}) } }
      : {}),
  };
  const params = { id: sender.id };
  return unlessLocked(() => client.call({ method: 'PATCH', path: `${path}/{id}`, params, body, answer: null }));
}

export function fieldsCarried(sender: CampaignSender, from: ReadonlySet<string>): Record<string, string> {
  return carried({ 'from.email': sender.from?.email, 'reply_to.email': sender.reply_to?.email }, from);
}

/** Was it moved to this address, which nobody has confirmed yet? A sender that does not say is not waited for. */
export function awaitsClick(sender: CampaignSender, to: string | null): boolean {
  return sameAddress(sender.from?.email, to) && sender.verified === false;
}

export async function resendVerification(client: SendGridClient, path: Path, id: string): Promise<void> {
  await client.call({ method: 'POST', path: `${path}/{id}/resend_verification`, params: { id }, answer: null });
}

export function toBelonging(kind: BelongingKind, what: string, sender: CampaignSender): Belonging {
  return {
    kind,
    id: sender.id,
    label: `${what} ${sender.nickname || sender.from?.email || sender.id}`,
    addresses: distinct([sender.from?.email, sender.reply_to?.email]),
  };
}
