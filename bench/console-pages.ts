import { accountName, emailOf, firstNames, idOf, lastNames, size } from './console-data.js';

/** What one interaction asks for, all at once; `n` varies what is looked for. */
export type Interaction = (n: number) => string[];

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
    open: () => ['/people'],
    'a deeper page': (n) => [query('/people', { before: timed((n * 9_973) % 400_000) })],
    leaving: () => ['/people?leaving=true'],
    'one letter': (n) => [query('/people', { search: 'abcdefghijklmnopqrstuvwxyz'[n % 26] ?? 'a' })],
    'first name': (n) => [query('/people', { search: firstNames[n % 20] ?? '' })],
    'last name': (n) => [query('/people', { search: lastNames[n % 23] ?? '' })],
    'beginning of an address': (n) => [query('/people', { search: emailOf(person(n)).split('@')[0] ?? '' })],
    nobody: (n) => [query('/people', { search: `nobody${n}` })],
  },
  Person: {
    open: (n) => [`/people/${idOf('person', person(n))}`],
  },
  Accounts: {
    open: () => ['/accounts'],
    ...Object.fromEntries(
      rosterFilters.map((filter): [string, Interaction] => [
        filter,
        (n) => [query(`/accounts/${account(n)}/roster`, { filter })],
      ]),
    ),
    roster: (n) => [`/accounts/${account(n)}/roster`],
    'roster, a deeper page': (n) => [query(`/accounts/${account(n)}/roster`, { before: 50 * (n % 19) })],
    'roster, a search': (n) => [query(`/accounts/${account(n)}/roster`, { search: lastNames[n % 23] ?? '' })],
    keys: (n) => [query('/keys', { account: account(n) })],
    'all keys': (n) => [query('/keys', { before: 50 * (n % 99) })],
  },
  Events: {
    open: () => ['/events', '/sources'],
    'a deeper page': (n) => [query('/events', { before: 1_000 + ((n * 9_973) % 190_000) })],
    'by address': (n) => [query('/events', { email: emailOf(person(n)) })],
    'by person': (n) => [query('/events', { personId: idOf('person', person(n)) })],
    'by the sender’s id': (n) => [query('/events', { eventId: `e${(n * 7_919) % size.events}` })],
    'by source': (n) => [query('/events', { source: n % 2 === 0 ? 'graph' : 'okta', before: 100_000 + n * 977 })],
    'by state': (n) => [
      query('/events', { state: ['dead', 'waiting', 'quarantined', 'received', 'done'][n % 5] ?? '' }),
    ],
    'by source and state': (n) => [query('/events', { source: n % 2 === 0 ? 'graph' : 'okta', state: 'dead' })],
    'of a source unknown': () => ['/events?source=file'],
    'by type': (n) => [query('/events', { type: n % 2 === 0 ? 'terminated' : 'joined' })],
    'by time': (n) => [
      query('/events', { since: ago(400_000 - n * 997).toISOString(), until: ago(398_000 - n * 997).toISOString() }),
    ],
    'one event': (n) => [`/events/${idOf('event', (n * 7_920) % size.events)}`],
    'its plan': (n) => [`/plans/${idOf('plan', (n * 3_960) % (size.events / 2))}`],
  },
  Queues: {
    open: () => [
      '/overview',
      '/actions?state=failed&limit=200',
      '/events?state=dead&limit=200',
      '/events?state=quarantined&limit=200',
    ],
  },
  Audit: {
    open: () => ['/audit', '/audit/state'],
    'a deeper page': (n) => [query('/audit', { before: timed((n * 9_973) % 490_000) })],
    'by person': (n) => [query('/audit', { email: emailOf(person(n)) })],
    'by a person’s id': (n) => [query('/audit', { personId: idOf('person', person(n)) })],
    'by kind': (n) => [
      query('/audit', {
        kind: ['plan.made', 'plan.approved', 'action.applied', 'audit.exported', 'no.such'][n % 5] ?? '',
      }),
    ],
    'by actor': (n) => [
      query('/audit', { actor: ['worker', 'user:jane@acme.com', 'user:nobody@acme.com'][n % 3] ?? '' }),
    ],
    'by account': (n) => [query('/audit', { account: account(n) })],
    'by account and kind': (n) => [
      query('/audit', { account: account(n), kind: n % 2 === 0 ? 'action.applied' : 'plan.approved' }),
    ],
    'by actor and kind': (n) => [
      query('/audit', { actor: 'user:jane@acme.com', kind: n % 2 === 0 ? 'plan.made' : 'audit.exported' }),
    ],
    'by kind, a deeper page': (n) => [query('/audit', { kind: 'plan.made', before: timed((n * 9_973) % 490_000) })],
    'by time': (n) => [
      query('/audit', { since: ago(490_000 - n * 997).toISOString(), until: ago(488_000 - n * 997).toISOString() }),
    ],
    'by kind and time': (n) => [
      query('/audit', {
        kind: n % 2 === 0 ? 'plan.approved' : 'plan.made',
        until: ago((n * 9_973) % 490_000).toISOString(),
      }),
    ],
  },
  Settings: {
    open: () => ['/config', '/grants', '/tokens', '/users', '/reconciliations?limit=5', '/stops', '/orders'],
  },
};
