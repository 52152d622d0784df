import { randomInt } from 'node:crypto';
import { type Answer, listen, type Request, send } from '../http.js';
import { type Channels, createChannels } from './channels.js';
import { getUser, listGroups, listMembers, listUsers } from './directory.js';
import { listActivities } from './reports.js';
import { createTokens, type Tokens } from './tokens.js';
import {
  type Change,
  type EmulatedGroup,
  type EmulatedUser,
  type GoogleWorld,
  googleError,
  groupAt,
  notFound,
} from './world.js';

export { googleError } from './world.js';

export type GoogleFault =
  | { kind: 'answer'; answer: Answer }
  | { kind: 'hang' }
  | { kind: 'reset' }
  | { kind: 'garbage' };

export interface GoogleEmulator extends GoogleWorld {
  url: string;
  tokens: Tokens;
  channels: Channels;
  requests: { method: string; path: string; query: string; status: number }[];
  /** Ends a request to the API, while set; null from it: answered as ever. Tokens are given out all the same. */
  fault: ((request: Request) => GoogleFault | null) | null;
  /** Instead of a token. */
  tokenFault: Answer | null;
  /** How long the audit log lags behind. */
  auditLagMs: number;
  /** How far Google's clock, and with it every channel's, is ahead. */
  aheadMs: number;
  addUser(seed: Partial<EmulatedUser> & { primaryEmail: string }): EmulatedUser;
  /** What an administrator does: changes the user, and tells channels and the audit log. */
  change(id: string, activity: string, change: Partial<EmulatedUser>, parameters?: Record<string, string>): void;
  deleteUser(id: string): void;
  undeleteUser(id: string): void;
  rename(id: string, to: string): void;
  addGroup(seed: Partial<EmulatedGroup> & { email: string; name: string }): EmulatedGroup;
  addMember(group: string, member: string): void;
  removeMember(group: string, member: string): void;
  /** One line in the audit log. */
  record(name: string, parameters: Record<string, string>, type?: string): void;
  close(): Promise<void>;
}

/** The parts of the Admin SDK that Sendoff uses (idp-events.md §3). */
export async function startGoogleEmulator({ domain = 'acme.com' } = {}): Promise<GoogleEmulator> {
  const tokens = createTokens();
  const channels = createChannels();
  let serial = 0;
  const server = await listen(async (request, response) => {
    const fault = request.path === '/token' ? null : (google.fault?.(request) ?? null);
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'reset') return void response.destroy();
    if (fault?.kind === 'garbage') {
      return void response.writeHead(200, { 'content-type': 'application/json' }).end('<html>');
    }
    const answer = fault?.kind === 'answer' ? fault.answer : await route(request, google);
    const { method, path, query } = request;
    google.requests.push({ method, path, query: query.toString(), status: answer.status });
    send(response, answer);
  });

  const told = (event: Change['event'], { id, primaryEmail }: EmulatedUser) =>
    google.changes.push({ event, user: { id, primaryEmail } });
  const google: GoogleEmulator = {
    url: server.url,
    domain,
    customer: 'C03az79cb',
    users: new Map(),
    groups: new Map(),
    activities: [],
    changes: [],
    now: () => new Date(Date.now() + google.aheadMs),
    pageLimit: 500,
    tokens,
    channels,
    requests: [],
    fault: null,
    tokenFault: null,
    auditLagMs: 0,
    aheadMs: 0,
    addUser(seed) {
      serial += 1;
      const user: EmulatedUser = {
        id: `1000000000000000${10_000 + serial}`,
        aliases: [],
        nonEditableAliases: [`${seed.primaryEmail.split('@')[0]}@${domain}.test-google-a.com`],
        givenName: 'Some',
        familyName: 'One',
        suspended: false,
        suspensionReason: null,
        archived: false,
        deletionTime: null,
        manager: null,
        recoveryEmail: null,
        ...seed,
      };
      google.users.set(user.id, user);
      told('add', user);
      google.record('CREATE_USER', { USER_EMAIL: user.primaryEmail });
      return user;
    },
    change(id, activity, change, parameters = {}) {
      const user = existing(google.users, id);
      const before = user.primaryEmail;
      Object.assign(user, change);
      told('update', user);
      google.record(activity, { USER_EMAIL: before, ...parameters });
    },
    deleteUser(id) {
      const user = existing(google.users, id);
      user.deletionTime = google.now().toISOString();
      for (const { members } of google.groups.values()) members.delete(id);
      told('delete', user);
      google.record('DELETE_USER', { USER_EMAIL: user.primaryEmail });
    },
    undeleteUser(id) {
      const user = existing(google.users, id);
      user.deletionTime = null;
      told('undelete', user);
      google.record('UNDELETE_USER', { USER_EMAIL: user.primaryEmail });
    },
    rename(id, to) {
      const { primaryEmail, aliases } = existing(google.users, id);
      google.change(id, 'RENAME_USER', { primaryEmail: to, aliases: [...aliases, primaryEmail] }, { NEW_VALUE: to });
    },
    addGroup(seed) {
      serial += 1;
      const group = {
        id: `0group${serial}`,
        adminCreated: true,
        members: new Set<string>(),
        isEverybody: false,
        ...seed,
      };
      google.groups.set(group.id, group);
      return group;
    },
    addMember: (group, member) => membership(group, member, 'ADD_GROUP_MEMBER'),
    removeMember: (group, member) => membership(group, member, 'REMOVE_GROUP_MEMBER'),
    record(name, parameters, type = 'USER_SETTINGS') {
      const time = google.now();
      google.activities.push({
        time,
        visibleAt: new Date(+time + google.auditLagMs),
        uniqueQualifier: String(-randomInt(2 ** 47)),
        events: [{ type, name, parameters: Object.entries(parameters).map(([key, value]) => ({ name: key, value })) }],
      });
    },
    close: server.close,
  };
  const membership = (groupKey: string, member: string, name: string): void => {
    const group = groupAt(google, groupKey);
    if (group === undefined) throw new Error(`the emulator has no group ${groupKey}`);
    if (name === 'ADD_GROUP_MEMBER') group.members.add(member);
    else group.members.delete(member);
    const email = google.users.get(member)?.primaryEmail ?? google.groups.get(member)?.email ?? member;
    google.record(name, { USER_EMAIL: email, GROUP_EMAIL: group.email }, 'GROUP_SETTINGS');
  };
  return google;
}

async function route(request: Request, google: GoogleEmulator): Promise<Answer> {
  const { method, path, query } = request;
  if (method === 'POST' && path === '/token') return google.tokenFault ?? google.tokens.issue(request, google);
  const scopes = google.tokens.scopesOf(request);
  if (scopes === null) return googleError(401, 'authError', 'Invalid Credentials');
  const needs = (scope: string, answer: () => Answer | Promise<Answer>) =>
    scopes.has(`https://www.googleapis.com/auth/${scope}`)
      ? answer()
      : googleError(403, 'insufficientPermissions', 'Request had insufficient authentication scopes.');
  const users = 'admin.directory.user.readonly';
  const groups = 'admin.directory.group.readonly';
  const [, part, api, , noun, key, sub] = path.split('/').map(decodeURIComponent);
  if (method === 'POST') {
    if (path === '/admin/directory/v1/users/watch') return needs(users, () => google.channels.watch(request, google));
    if (path === '/admin/directory_v1/channels/stop') return needs(users, () => google.channels.stop(request));
    return notFound(path);
  }
  if (part !== 'admin') return notFound(path);
  if (path === '/admin/reports/v1/activity/users/all/applications/admin') {
    return needs('admin.reports.audit.readonly', () => listActivities(request, google));
  }
  if (api !== 'directory') return notFound(path);
  if (noun === 'users' && sub === undefined) {
    return needs(users, () => (key === undefined ? listUsers(request, google) : getUser(key, google)));
  }
  if (noun === 'groups' && key === undefined) return needs(groups, () => listGroups(request, google));
  if (noun === 'groups' && key !== undefined && sub === 'members') {
    return needs(groups, () => listMembers(key, request, google));
  }
  return notFound(`${path}?${query}`);
}

function existing<T>(all: Map<string, T>, id: string): T {
  const one = all.get(id);
  if (one === undefined) throw new Error(`the emulator has no ${id}`);
  return one;
}
