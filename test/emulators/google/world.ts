import type { Answer } from '../http.js';

// A customer of Google Workspace: its users, its groups, and what administrators did.

export interface EmulatedUser {
  id: string;
  primaryEmail: string;
  aliases: string[];
  nonEditableAliases: string[];
  givenName: string;
  familyName: string;
  suspended: boolean;
  suspensionReason: string | null;
  archived: boolean;
  deletionTime: string | null;
  manager: string | null;
  recoveryEmail: string | null;
}

export interface EmulatedGroup {
  id: string;
  email: string;
  name: string;
  adminCreated: boolean;
  /** Ids of users and of other groups. */
  members: Set<string>;
  /** "All users of the organisation" is one member. */
  isEverybody: boolean;
}

export interface EmulatedActivity {
  time: Date;
  /** Shown from then on: the audit log lags behind. */
  visibleAt: Date;
  uniqueQualifier: string;
  events: { type: string; name: string; parameters: { name: string; value: string }[] }[];
}

/** A change of a user, as channels tell of it. */
export interface Change {
  event: 'add' | 'delete' | 'undelete' | 'update' | 'makeAdmin';
  user: { id: string; primaryEmail: string };
}

export interface GoogleWorld {
  domain: string;
  customer: string;
  users: Map<string, EmulatedUser>;
  groups: Map<string, EmulatedGroup>;
  activities: EmulatedActivity[];
  /** What channels have still to tell. */
  changes: Change[];
  now(): Date;
  /** Items of one page at the most, whatever is asked for. */
  pageLimit: number;
}

export function addressesOf({ primaryEmail, aliases, nonEditableAliases }: EmulatedUser): string[] {
  return [primaryEmail, ...aliases, ...nonEditableAliases].map((one) => one.toLowerCase());
}

/** By id or any address; the deleted are not found. */
export function userAt({ users }: GoogleWorld, key: string): EmulatedUser | undefined {
  const wanted = key.toLowerCase();
  return [...users.values()].find(
    (user) => user.deletionTime === null && (user.id === key || addressesOf(user).includes(wanted)),
  );
}

export function groupAt({ groups }: GoogleWorld, key: string): EmulatedGroup | undefined {
  return [...groups.values()].find(({ id, email }) => id === key || email === key.toLowerCase());
}

/** Google's error document (Directory API, "Error codes"). */
export function googleError(
  code: number,
  reason: string,
  message: string,
  headers: Record<string, string> = {},
): Answer {
  return { status: code, headers, body: { error: { code, message, errors: [{ message, domain: 'global', reason }] } } };
}

export function notFound(what: string): Answer {
  return googleError(404, 'notFound', `Resource Not Found: ${what}`);
}

/** Google leaves an empty array out. A page token is good for the same question only. */
export function pageOf<T>(
  { pageLimit }: GoogleWorld,
  query: URLSearchParams,
  items: T[],
  { kind, key, longest, body }: { kind: string; key: string; longest: number; body(item: T): unknown },
): Answer {
  const asked = new URLSearchParams(query);
  asked.delete('pageToken');
  asked.sort();
  const question = Buffer.from(asked.toString()).toString('base64url');
  const token = query.get('pageToken');
  const [at, of] = token === null ? ['0', question] : token.split('.');
  if (of !== question) return googleError(400, 'invalid', 'Invalid Input: pageToken');
  const limit = Math.min(Number(query.get('maxResults') ?? 100), longest, pageLimit);
  const begin = Number(at);
  const page = items.slice(begin, begin + limit).map(body);
  const more = begin + limit < items.length;
  return {
    status: 200,
    body: {
      kind,
      etag: '"etag"',
      ...(page.length === 0 ? {} : { [key]: page }),
      ...(more ? { nextPageToken: `${begin + limit}.${question}` } : {}),
    },
  };
}
