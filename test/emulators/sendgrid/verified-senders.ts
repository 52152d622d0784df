import type { Answer, Request } from '../http.js';
import type { EmulatedAccount } from './account.js';
import type { EmulatedVerifiedSender } from './holdings.js';
import { bodyOf, type Route } from './routes.js';

/** What a request may say, and how long it may be (tsg_verified_senders_v3.yaml). */
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
const required = ['nickname', 'from_email', 'reply_to'];

export const verifiedSenderRoutes: Route[] = [
  { method: 'GET', path: '/v3/verified_senders', run: (account, { query }) => list(account, query) },
  { method: 'POST', path: '/v3/verified_senders', run: create },
  { method: 'PATCH', path: '/v3/verified_senders/{id}', run: patch },
  {
    method: 'DELETE',
    path: '/v3/verified_senders/{id}',
    run(account, _request, { id = '' }) {
      const sender = account.verifiedSenders.get(Number(id));
      if (sender === undefined) return refused(404, 'resource not found');
      if (sender.locked) return refused(403, 'You may only delete a sender identity when it is unlocked.');
      account.verifiedSenders.delete(sender.id);
      return { status: 204, applied: true };
    },
  },
  {
    method: 'POST',
    path: '/v3/verified_senders/resend/{id}',
    run(account, _request, { id = '' }) {
      const sender = account.verifiedSenders.get(Number(id));
      if (sender === undefined) return refused(404, 'resource not found');
      if (sender.verified) return refused(400, 'already verified');
      account.mails.push({ to: sender.from_email, senderId: sender.id });
      return { status: 204, applied: true };
    },
  },
];

/** `lastSeenID` is the cursor; there is no offset (sendgrid.md §2, pagination). */
function list(account: EmulatedAccount, query: URLSearchParams): Answer {
  const after = Number(query.get('lastSeenID') ?? 0);
  const id = query.get('id');
  const wanted = [...account.verifiedSenders.values()]
    .filter((one) => one.id > after && (id === null || one.id === Number(id)))
    .sort((a, b) => a.id - b.id);
  return { status: 200, body: { results: wanted.slice(0, Number(query.get('limit') ?? 50)) } };
}

function create(account: EmulatedAccount, request: Request): ReturnType<Route['run']> {
  const said = bodyOf(request);
  const refusal = refusalOf(account, said, null);
  if (refusal !== null) return refusal;
  const from_email = String(said.from_email);
  const verified = account.isVouchedFor(from_email);
  const sender = account.addVerifiedSender({ ...fieldsOf(said), from_email, verified });
  if (!verified) account.mails.push({ to: from_email, senderId: sender.id });
  return { status: 201, body: sender, applied: true };
}

/** A new `from_email` has to be proved again, and nothing can be sent meanwhile (sendgrid.md §8). */
function patch(
  account: EmulatedAccount,
  request: Request,
  { id = '' }: Record<string, string>,
): ReturnType<Route['run']> {
  const sender = account.verifiedSenders.get(Number(id));
  if (sender === undefined) return refused(404, 'resource not found');
  if (sender.locked) return refused(403, 'You may only update a sender identity when it is unlocked.');
  const said = bodyOf(request);
  const refusal = refusalOf(account, said, sender);
  if (refusal !== null) return refusal;
  const before = sender.from_email.toLowerCase();
  Object.assign(sender, fieldsOf(said));
  if (sender.from_email.toLowerCase() !== before) {
    sender.verified = account.isVouchedFor(sender.from_email);
    if (!sender.verified) account.mails.push({ to: sender.from_email, senderId: sender.id });
  }
  return { status: 200, body: sender, applied: true };
}

function refusalOf(
  account: EmulatedAccount,
  said: Record<string, unknown>,
  sender: EmulatedVerifiedSender | null,
): Answer | null {
  const missing = required.find((field) => said[field] === undefined || said[field] === '');
  if (missing !== undefined) return refused(400, `${missing} is required`, missing);
  for (const [field, most] of Object.entries(longest)) {
    const value = said[field];
    if (value === undefined) continue;
    if (typeof value !== 'string') return refused(400, `${field} is no text`, field);
    if (value.length > most) return refused(400, `${field} is longer than ${most}`, field);
  }
  const twin = [...account.verifiedSenders.values()].find((one) => one.nickname === said.nickname && one !== sender);
  // Documented for the other senders (tsg_lmc_senders_v3.yaml).
  return twin === undefined
    ? null
    : refused(400, 'You already have a sender identity with the same nickname.', 'nickname');
}

function fieldsOf(said: Record<string, unknown>): Partial<EmulatedVerifiedSender> {
  return Object.fromEntries(Object.entries(said).filter(([field]) => field in longest));
}

/** These errors have an id of their own. */
function refused(status: number, message: string, field?: string): Answer {
  const error_id = `${status}-verified-sender`;
  return { status, body: { errors: [{ message, error_id, ...(field === undefined ? {} : { field }) }] } };
}
