import { z } from 'zod';
import { unlessAbsent } from '../absence.js';
import type { SendGridClient } from '../client.js';
import { SendGridOutage } from '../errors.js';
import { sameAddress } from './carry.js';

// Addresses that SendGrid lets an account send from, once their owner has clicked (sendgrid.md §8, verified sender).

const path = '/v3/verified_senders';
const text = z.string().nullish();
/** Boolean in the specification, `{status, reason}` as reported (sendgrid.md §8). */
export const verification = z
  .union([z.boolean(), z.object({ status: z.boolean().nullish() }).transform(({ status }) => status === true)])
  .nullish();
const item = z.object({
  id: z.union([z.int().transform(String), z.string().min(1)]),
  nickname: text,
  from_email: text,
  from_name: text,
  reply_to: text,
  reply_to_name: text,
  address: text,
  address2: text,
  state: text,
  city: text,
  zip: text,
  country: text,
  verified: verification,
  locked: z.boolean().nullish(),
});
const list = z
  .object({ results: z.array(item).optional(), result: z.array(item).optional() })
  .refine((body) => body.results ?? body.result);

export type VerifiedSender = z.infer<typeof item>;

/** What may be written, and the most that fits (tsg_verified_senders_v3.yaml). */
const longest = {
  nickname: 100,
  from_email: 256,
  from_name: 256,
  reply_to: 256,
  reply_to_name: 256,
  address: 100,
  address2: 100,
  state: 2,
  city: 150,
  zip: 10,
  country: 100,
};
export type Writable = Partial<Record<keyof typeof longest, string | null | undefined>>;

const limit = 500;
const maxPages = 1_000;

/**
 * Verified senders and those that wait for a click. The cursor is the last id seen (sendgrid.md §2, pagination); a short
 * page is not believed to be the last.
 * @throws errors.ts; never returns part of the list
 */
export async function listVerifiedSenders(client: SendGridClient): Promise<VerifiedSender[]> {
  const all = new Map<string, VerifiedSender>();
  const first = await unlessAbsent([], () => readPage(client, null));
  for (let page = first, pages = 1; page.some(({ id }) => !all.has(id)); pages += 1) {
    if (pages > maxPages) {
      throw new SendGridOutage(`SendGrid ${client.account}: GET ${path} did not end after ${maxPages} pages`, false, {
        code: 'SENDGRID_GARBAGE',
        blame: 'remote',
      });
    }
    for (const sender of page) all.set(sender.id, sender);
    page = await readPage(client, page.at(-1)?.id ?? null);
  }
  return [...all.values()];
}

async function readPage(client: SendGridClient, after: string | null): Promise<VerifiedSender[]> {
  const query = { limit, ...(after === null ? {} : { lastSeenID: after }) };
  const body = await client.call({ method: 'GET', path, query, answer: list });
  return body.results ?? body.result ?? [];
}

/** Who may send from this address: the verified sender before one that waits for its click; null: there is none. */
export function identityOf(senders: VerifiedSender[], address: string): VerifiedSender | null {
  const bearing = senders.filter(({ from_email }) => sameAddress(from_email, address));
  return bearing.find(({ verified }) => verified === true) ?? bearing[0] ?? null;
}

/** Has the account proved this address? What is not said is not proved. */
export function isProved(sender: VerifiedSender | null): boolean {
  return sender?.verified === true;
}

/**
 * Makes a sender of this address, like the one given; SendGrid sends its owner a mail. Not idempotent: list first.
 * @param senders those that are there: two can't share a nickname
 */
export async function createIdentity(
  client: SendGridClient,
  like: Writable,
  to: string,
  senders: VerifiedSender[],
): Promise<void> {
  const nickname = freeNickname(like.nickname || to, senders);
  const body = writable({ ...like, nickname, from_email: to, reply_to: like.reply_to || to });
  await client.call({ method: 'POST', path, body, answer: null });
}

/** All of it: `nickname`, `from_email` and `reply_to` are required even here (sendgrid.md §8). */
export async function updateIdentity(client: SendGridClient, id: string, fields: Writable): Promise<void> {
  const body = writable(fields);
  await client.call({ method: 'PATCH', path: `${path}/{id}`, params: { id }, body, answer: null });
}

/** Gone already is deleted. */
export async function deleteIdentity(client: SendGridClient, id: string): Promise<void> {
  await unlessAbsent(undefined, () =>
    client.call({ method: 'DELETE', path: `${path}/{id}`, params: { id }, answer: null }),
  );
}

/** Sends the mail again to whoever has not clicked; to nobody when it is verified or not there. */
export async function remindIdentity(client: SendGridClient, to: string): Promise<void> {
  const sender = identityOf(await listVerifiedSenders(client), to);
  if (sender === null || isProved(sender)) return;
  await client.call({ method: 'POST', path: `${path}/resend/{id}`, params: { id: sender.id }, answer: null });
}

/** No nulls, and nothing that is longer than SendGrid takes: its own lists hold longer states (sendgrid.md §8). */
function writable(fields: Writable): Record<string, string> {
  return Object.fromEntries(
    Object.entries(longest).flatMap(([field, most]): [string, string][] => {
      const value = fields[field as keyof typeof longest];
      return value && value.length <= most ? [[field, value]] : [];
    }),
  );
}

function freeNickname(nickname: string, senders: VerifiedSender[]): string {
  const taken = new Set(senders.map((sender) => sender.nickname));
  for (let n = 1; ; n += 1) {
    const free = n === 1 ? nickname.slice(0, longest.nickname) : `${nickname.slice(0, longest.nickname - 6)} ${n}`;
    if (!taken.has(free)) return free;
  }
}
