import type { Answer, Request } from '../http.js';
import type { EmulatedAccount } from './account.js';
import type { EmulatedSender } from './holdings.js';
import { bodyOf, error, type Route } from './routes.js';

// Senders of Marketing Campaigns, and of its legacy version: the same, under two addresses (sendgrid.md §8).

interface Shelf {
  path: string;
  of(account: EmulatedAccount): Map<number, EmulatedSender>;
  /** How the list is wrapped. */
  wrap(senders: EmulatedSender[]): unknown;
  /** Is an address proved that is a verified sender already? */
  trustsVerifiedSenders: boolean;
}

const shelves: Shelf[] = [
  {
    path: '/v3/marketing/senders',
    of: (account) => account.senders,
    wrap: (results) => ({ results }),
    trustsVerifiedSenders: true,
  },
  {
    path: '/v3/senders',
    of: (account) => account.legacySenders,
    wrap: (result) => ({ result }),
    trustsVerifiedSenders: false,
  },
];

export const senderRoutes: Route[] = shelves.flatMap((shelf): Route[] => [
  {
    method: 'GET',
    path: shelf.path,
    run: (account) => ({ status: 200, body: shelf.wrap([...shelf.of(account).values()]) }),
  },
  {
    method: 'GET',
    path: `${shelf.path}/{id}`,
    run(account, _request, { id = '' }) {
      const sender = shelf.of(account).get(Number(id));
      return sender === undefined ? notFound() : { status: 200, body: sender };
    },
  },
  {
    method: 'PATCH',
    path: `${shelf.path}/{id}`,
    run: (account, request, { id = '' }) => patch(shelf, account, request, Number(id)),
  },
  {
    method: 'DELETE',
    path: `${shelf.path}/{id}`,
    run(account, _request, { id = '' }) {
      const sender = shelf.of(account).get(Number(id));
      if (sender === undefined) return notFound();
      if (sender.locked) return locked('delete');
      shelf.of(account).delete(sender.id);
      return { status: 204, applied: true };
    },
  },
  {
    method: 'POST',
    path: `${shelf.path}/{id}/resend_verification`,
    run(account, _request, { id = '' }) {
      const sender = shelf.of(account).get(Number(id));
      if (sender === undefined) return notFound();
      if (sender.verified) return error(400, 'The Sender Identity is already verified.  No email sent.', '');
      account.mails.push({ to: sender.from.email, senderId: sender.id });
      return { status: 204, applied: true };
    },
  },
]);

/** Partial, but `from` and `reply_to` only whole; a new `from.email` has to be proved again. */
function patch(shelf: Shelf, account: EmulatedAccount, request: Request, id: number): ReturnType<Route['run']> {
  const sender = shelf.of(account).get(id);
  if (sender === undefined) return notFound();
  if (sender.locked) return locked('update');
  const { from, reply_to, ...rest } = bodyOf(request) as Partial<EmulatedSender>;
  if (from !== undefined && !from?.email) return error(400, 'from_email is required.', 'from_email');
  if (from !== undefined && !from.name) return error(400, 'from_name is required.', 'from_name');
  if (reply_to !== undefined && !reply_to?.email) return error(400, 'reply_to is required.', 'reply_to');
  const empty = Object.entries(rest).find(([, value]) => value === null);
  if (empty !== undefined) return error(400, `${empty[0]} is required.`, empty[0]);
  const before = sender.from.email.toLowerCase();
  Object.assign(sender, rest, from === undefined ? {} : { from }, reply_to === undefined ? {} : { reply_to });
  sender.updated_at = Math.floor(Date.now() / 1_000);
  if (sender.from.email.toLowerCase() !== before) {
    sender.verified = isProved(shelf, account, sender.from.email);
    if (!sender.verified) account.mails.push({ to: sender.from.email, senderId: sender.id });
  }
  return { status: 200, body: sender, applied: true };
}

function isProved(shelf: Shelf, account: EmulatedAccount, email: string): boolean {
  if (account.isVouchedFor(email)) return true;
  const bears = [...account.verifiedSenders.values()].filter(
    (one) => one.from_email.toLowerCase() === email.toLowerCase(),
  );
  return shelf.trustsVerifiedSenders && bears.some(({ verified }) => verified);
}

function locked(what: 'update' | 'delete'): Answer {
  return error(403, `You may only ${what} a sender identity when it is unlocked.`, 'locked');
}

function notFound(): Answer {
  return error(404, 'resource not found', 'id');
}
