import { type Answer, listen, type Request, send } from '../http.js';
import { activityLog, administratorLog, type Done, done, settledMs } from './logs.js';
import { failure, type Keys, refusalOf } from './signature.js';

export interface DuoUserSeed {
  username: string;
  email?: string;
  aliases?: string[];
  firstname?: string;
  lastname?: string;
  status?: string;
  groups?: string[];
}

export interface EmulatedDuoUser extends Required<DuoUserSeed> {
  user_id: string;
}

export type DuoFault =
  | { kind: 'status'; status: number; body?: unknown; headers?: Record<string, string> }
  | { kind: 'hang' }
  | { kind: 'reset' }
  | { kind: 'garbage' };

export interface DuoEmulator extends Keys {
  url: string;
  /** By `user_id`, in the order in which they are listed. */
  users: Map<string, EmulatedDuoUser>;
  /** Groups that deny their members the sign-in. */
  disabledGroups: Set<string>;
  log: Done[];
  requests: { path: string; query: Record<string, string>; status: number }[];
  /** What the Admin API application may do. */
  rights: { resource: boolean; log: boolean };
  /** How the newer log is refused, as in older editions; null: it is there. */
  activityRefused: 403 | 404 | null;
  /** By how much Duo's clock is ahead of this machine's. */
  clockMs: number;
  /** While set, every request ends like this; a function decides for each, null meaning not at all. */
  fault: DuoFault | ((path: string) => DuoFault | null) | null;
  /** Each of these writes the log as Duo does, as of two minutes ago, so that nobody waits for it to show. */
  addUser(seed: DuoUserSeed): EmulatedDuoUser;
  change(id: string, fields: Partial<DuoUserSeed>): void;
  /** Into the trash: still there, until it is emptied. */
  trash(id: string): void;
  restore(id: string): void;
  /** Gone for good. */
  remove(id: string): void;
  close(): Promise<void>;
}

/** The part of Duo's Admin API that Sendoff reads: signed, with rights, paging, a late log and 429 (idp-events.md §5). */
export async function startDuoEmulator(): Promise<DuoEmulator> {
  let ids = 0;

  const server = await listen((request, response) => {
    const answer = answerTo(request);
    if (answer === 'hang') return;
    if (answer === 'reset') return void response.destroy();
    const date = new Date(Date.now() + emulator.clockMs).toUTCString();
    const query = Object.fromEntries(request.query);
    if (answer === 'garbage') {
      return void response.writeHead(200, { 'content-type': 'application/json', date }).end('<html>');
    }
    emulator.requests.push({ path: request.path, query, status: answer.status });
    send(response, { ...answer, headers: { date, ...answer.headers } });
  });

  const answerTo = (request: Request): Answer | 'hang' | 'reset' | 'garbage' => {
    const { fault, clockMs } = emulator;
    const fails = typeof fault === 'function' ? fault(request.path) : fault;
    if (fails?.kind === 'status') {
      const { status, body = { stat: 'FAIL', code: status * 100, message: 'emulated' }, headers = {} } = fails;
      return { status, body, headers };
    }
    if (fails != null) return fails.kind;
    return refusalOf(request, emulator, Date.now() + clockMs) ?? route(request, emulator);
  };

  const note = (action: string, user: EmulatedDuoUser, before: Record<string, unknown> | null): void => {
    const at = Date.now() + emulator.clockMs - settledMs - 1;
    const { user_id: id, username } = user;
    emulator.log.push(done({ at, action, user: { id, username }, now: detailsOf(user), before }));
  };
  const userOf = (id: string): EmulatedDuoUser => {
    const user = emulator.users.get(id);
    if (user === undefined) throw new Error(`the emulator has no user ${id}`);
    return user;
  };
  const update = (action: string, id: string, fields: Partial<DuoUserSeed>): void => {
    const user = userOf(id);
    const before = detailsOf(user);
    Object.assign(user, fields);
    note(action, user, before);
  };

  const emulator: DuoEmulator = {
    url: server.url,
    host: 'api-12345678.duosecurity.com',
    integrationKey: 'DIWJ8X6AEYOR5OMC6TQ1',
    secretKey: 'Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep',
    users: new Map(),
    disabledGroups: new Set(),
    log: [],
    requests: [],
    rights: { resource: true, log: true },
    activityRefused: null,
    clockMs: 0,
    fault: null,
    addUser(seed) {
      ids += 1;
      const user: EmulatedDuoUser = {
        user_id: `DU${String(ids).padStart(18, 'A')}`,
        email: '',
        aliases: [],
        firstname: 'Some',
        lastname: 'One',
        status: 'active',
        groups: [],
        ...seed,
      };
      emulator.users.set(user.user_id, user);
      note('user_create', user, null);
      return user;
    },
    change: (id, fields) => update('user_update', id, fields),
    trash: (id) => update('user_pending_delete', id, { status: 'pending deletion' }),
    restore: (id) => update('user_restore', id, { status: 'active' }),
    remove(id) {
      note('user_delete', userOf(id), null);
      emulator.users.delete(id);
    },
    close: server.close,
  };
  return emulator;
}

function route(request: Request, emulator: DuoEmulator): Answer {
  const [, admin, version, noun, part] = request.path.split('/');
  if (admin !== 'admin' || request.method !== 'GET') return missing();
  const { rights, activityRefused, log, clockMs } = emulator;
  const now = Date.now() + clockMs;
  if (version === 'v1' && noun === 'users') {
    if (!rights.resource) return failure(40301, 'Access forbidden');
    return part === undefined ? listUsers(request, emulator) : oneUser(part, emulator);
  }
  if (noun !== 'logs') return missing();
  if (version === 'v2' && part === 'activity') {
    if (activityRefused === 404) return missing();
    if (activityRefused === 403 || !rights.log) return failure(40301, 'Access forbidden');
    return activityLog(request, log, now);
  }
  if (version === 'v1' && part === 'administrator') {
    return rights.log ? administratorLog(request, log, now) : failure(40301, 'Access forbidden');
  }
  return missing();
}

function oneUser(id: string, emulator: DuoEmulator): Answer {
  const user = emulator.users.get(id);
  return user === undefined ? missing() : { status: 200, body: { stat: 'OK', response: toBody(user, emulator) } };
}

/** `username` finds aliases too; both look-ups give a list without pages. */
function listUsers({ query }: Request, emulator: DuoEmulator): Answer {
  const all = [...emulator.users.values()];
  const [username, email] = ['username', 'email'].map((key) => query.get(key)?.toLowerCase());
  if (username !== undefined || email !== undefined) {
    const found = all.filter((user) =>
      username === undefined
        ? user.email.toLowerCase() === email
        : [user.username, ...user.aliases].some((one) => one.toLowerCase() === username),
    );
    return { status: 200, body: { stat: 'OK', response: found.map((user) => toBody(user, emulator)) } };
  }
  const limit = Math.min(Number(query.get('limit') ?? 100), 300);
  const offset = Number(query.get('offset') ?? 0);
  if (!(limit >= 1) || !(offset >= 0)) return failure(40002, 'Invalid request parameters');
  const metadata = {
    ...(offset + limit < all.length ? { next_offset: offset + limit } : {}),
    ...(offset > 0 ? { prev_offset: Math.max(0, offset - limit) } : {}),
    total_objects: all.length,
  };
  const response = all.slice(offset, offset + limit).map((user) => toBody(user, emulator));
  return { status: 200, body: { stat: 'OK', metadata, response } };
}

/** In the shape of samples/duo/users.page.json. */
function toBody({ groups, aliases, ...user }: EmulatedDuoUser, { disabledGroups }: DuoEmulator) {
  return {
    ...user,
    realname: `${user.firstname} ${user.lastname}`,
    created: 1626352054,
    last_login: null,
    notes: '',
    is_enrolled: true,
    groups: groups.map((name) => ({
      group_id: `DG-${name}`,
      name,
      status: disabledGroups.has(name) ? 'Disabled' : 'Active',
      desc: '',
    })),
    phones: [],
    tokens: [],
    webauthncredentials: [],
    custom_attributes: {},
    aliases: Object.fromEntries(aliases.map((alias, index) => [`alias${index + 1}`, alias])),
  };
}

/** As the log tells of a user: the status with a capital letter, groups by key and name. */
function detailsOf({ email, status, groups }: EmulatedDuoUser): Record<string, unknown> {
  const capital = status.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
  return { email, status: capital, groups: groups.map((name) => ({ key: `DG-${name}`, name })) };
}

function missing(): Answer {
  return failure(40401, 'Resource not found');
}
