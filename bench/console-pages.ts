import { accountName, emailOf, firstNames, idOf, lastNames, size } from './console-data.js';

export interface Search {
  path: string;
  body: Record<string, string | number | boolean>;
}
/** What one interaction asks for, all at once: paths to get, and searches; `n` varies what is looked for. */
export type Interaction = (n: number) => (string | Search)[];

const person = (n: number) => (n * 7_919) % size.people;
const account = (n: number) => accountName(n % size.accounts);
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
/** Cursors of lists by time stand for any moment. */
const timed = (minutes: number) =>
  Buffer.from(`${ago(minutes).toISOString().replace('T', ' ').replace('Z', '+00')}|${idOf('nobody', 0)}`).toString(
    'base64url',
  );
const query = (path: string, params: Record<string, string | number>) => {
  const texts = Object.entries(params).map(([key, value]): [string, string] => [key, String(value)]);
  return `${path}?${new URLSearchParams(texts)}`;
};
const search = (list: string, body: Search['body'] = {}): Search => ({ path: `${list}/search`, body });
const rosterFilters = ['orphan', 'admin', 'arrived', 'no-grant', 'leaving', 'invitation', 'expired'];

/** By the pages of console/src/pages: what each asks for when it is opened, searched, filtered or turned. */
export const pages: Record<string, Record<string, Interaction>> = {
  Today: {
    open: () => ['/overview', '/plans?limit=50', '/todos?limit=20'],
  },
  Approvals: {
    open: () => ['/plans?state=held&limit=20', '/config'],
    'a deeper page': (n) => [query('/plans', { state: 'held', limit: 20, before: 1_000 + ((n * 997) % 90_000) })],
  },
  People: {
    open: () => [search('/people')],
    'a deeper page': (n) => [search('/people', { before: timed((n * 9_973) % 400_000) })],
    leaving: () => [search('/people', { leaving: true })],
    'one letter': (n) => [search('/people', { search: 'abcdefghijklmnopqrstuvwxyz'[n % 26] ?? 'a' })],
    'first name': (n) => [search('/people', { search: firstNames[n % 20] ?? '' })],
    'last name': (n) => [search('/people', { search: lastNames[n % 23] ?? '' })],
    'beginning of an address': (n) => [search('/people', { search: emailOf(person(n)).split('@')[0] ?? '' })],
    nobody: (n) => [search('/people', { search: `nobody${n}` })],
  },
  Person: {
    open: (n) => [`/people/${idOf('person', person(n))}`],
  },
  Accounts: {
    open: () => ['/accounts'],
    ...Object.fromEntries(
      rosterFilters.map((filter): [string, Interaction] => [
        filter,
        (n) => [search(`/accounts/${account(n)}/roster`, { filter })],
      ]),
    ),
    roster: (n) => [search(`/accounts/${account(n)}/roster`)],
    'roster, a deeper page': (n) => [search(`/accounts/${account(n)}/roster`, { before: String(50 * (n % 19)) })],
    'roster, a search': (n) => [search(`/accounts/${account(n)}/roster`, { search: lastNames[n % 23] ?? '' })],
    keys: (n) => [query('/keys', { account: account(n) })],
    'all keys': (n) => [query('/keys', { before: 50 * (n % 99) })],
  },
  Events: {
    open: () => [search('/events'), '/sources'],
    'a deeper page': (n) => [search('/events', { before: String(1_000 + ((n * 9_973) % 190_000)) })],
    'by address': (n) => [search('/events', { email: emailOf(person(n)) })],
    'by person': (n) => [search('/events', { personId: idOf('person', person(n)) })],
    'by the sender’s id': (n) => [search('/events', { eventId: `e${(n * 7_919) % size.events}` })],
    'by source': (n) => [
      search('/events', { source: n % 2 === 0 ? 'graph' : 'okta', before: String(100_000 + n * 977) }),
    ],
    'by state': (n) => [
      search('/events', { state: ['dead', 'waiting', 'quarantined', 'received', 'done'][n % 5] ?? '' }),
    ],
    'by source and state': (n) => [search('/events', { source: n % 2 === 0 ? 'graph' : 'okta', state: 'dead' })],
    'of a source unknown': () => [search('/events', { source: 'file' })],
    'by type': (n) => [search('/events', { type: n % 2 === 0 ? 'terminated' : 'joined' })],
    'by time': (n) => [
      search('/events', { since: ago(400_000 - n * 997).toISOString(), until: ago(398_000 - n * 997).toISOString() }),
    ],
    'one event': (n) => [`/events/${idOf('event', (n * 7_920) % size.events)}`],
    'its plan': (n) => [`/plans/${idOf('plan', (n * 3_960) % (size.events / 2))}`],
  },
  Queues: {
    open: () => ['/overview', '/failures', '/events/replays?limit=5'],
    'one person': (n) => [search('/failures', { search: emailOf(person(n)) })],
  },
  Audit: {
    open: () => [search('/audit'), '/audit/state'],
    'a deeper page': (n) => [search('/audit', { before: timed((n * 9_973) % 490_000) })],
    'by person': (n) => [search('/audit', { email: emailOf(person(n)) })],
    'by a person’s id': (n) => [search('/audit', { personId: idOf('person', person(n)) })],
    'by kind': (n) => [
      search('/audit', {
        kind: ['plan.made', 'plan.approved', 'action.applied', 'audit.exported', 'no.such'][n % 5] ?? '',
      }),
    ],
    'by actor': (n) => [
      search('/audit', { actor: ['worker', 'user:jane@acme.com', 'user:nobody@acme.com'][n % 3] ?? '' }),
    ],
    'by account': (n) => [search('/audit', { account: account(n) })],
    'by account and kind': (n) => [
      search('/audit', { account: account(n), kind: n % 2 === 0 ? 'action.applied' : 'plan.approved' }),
    ],
    'by actor and kind': (n) => [
      search('/audit', { actor: 'user:jane@acme.com', kind: n % 2 === 0 ? 'plan.made' : 'audit.exported' }),
    ],
    'by kind, a deeper page': (n) => [search('/audit', { kind: 'plan.made', before: timed((n * 9_973) % 490_000) })],
    'by time': (n) => [
      search('/audit', { since: ago(490_000 - n * 997).toISOString(), until: ago(488_000 - n * 997).toISOString() }),
    ],
    'by kind and time': (n) => [
      search('/audit', {
        kind: n % 2 === 0 ? 'plan.approved' : 'plan.made',
        until: ago((n * 9_973) % 490_000).toISOString(),
      }),
    ],
  },
  Settings: {
    open: () => ['/config', '/grants', '/tokens', '/users', '/reconciliations?limit=5', '/stops', '/orders'],
  },
};
