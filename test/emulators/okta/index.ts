import { EventEmitter } from 'node:events';
import { type Answer, listen, type Request, send } from '../http.js';
import { missing, oktaError } from './answers.js';
import { directoryRoute, type EmulatedUser, type OktaUserSeed, toUser } from './directory.js';
import { createEventHooks, type EventHooks } from './event-hooks.js';
import { hookPayload, type LogEventSeed } from './hook.js';
import { createSignIn, type SignIn } from './sign-in.js';
import { createSystemLog, type Recorded, type SystemLog } from './system-log.js';

export type { EmulatedUser, OktaUserSeed } from './directory.js';
export { hookPayload, type LogEventSeed } from './hook.js';

export type OktaFault =
  | { kind: 'status'; status: number; body?: unknown }
  | { kind: 'hang' }
  | { kind: 'reset' }
  | { kind: 'garbage' };

type Asked = Pick<Request, 'method' | 'path'> & { status: number };

export interface OktaEmulator {
  url: string;
  users: Map<string, EmulatedUser>;
  /** Ids of apps that exist. */
  apps: Set<string>;
  /** Those of them that are switched off. */
  inactiveApps: Set<string>;
  /** When an app was changed last; one that is not here does not tell. */
  appChangedAt: Map<string, Date>;
  requests: Asked[];
  /** While set, every request ends like this. */
  fault: OktaFault | null;
  /** Path -> when its rate limit is over, in seconds since 1970. */
  throttled: Map<string, number>;
  signIn: SignIn;
  log: SystemLog;
  eventHooks: EventHooks;
  on(event: 'request', listener: (request: Asked) => void): void;
  addUser(seed: OktaUserSeed): EmulatedUser;
  setStatus(id: string, status: string): void;
  deleteUser(id: string): void;
  /** Takes a person into a group, or out of it. */
  setMember(id: string, group: string, isMember: boolean): void;
  /** Writes an event into the System Log; what is subscribed is pushed by `pushAll`. */
  record(seed: LogEventSeed): Recorded;
  /** What was written down and not pushed yet. */
  unpushed: Recorded[];
  /** Posts a delivery as Okta does: three seconds, one more try on a timeout or 5xx, none on 4xx. @returns the last status */
  deliver(hookUrl: string, secret: string, events: LogEventSeed[]): Promise<number>;
  /** Tells every hook that is active and verified of what it subscribes to, and logs what it could not. */
  pushAll(): Promise<void>;
  close(): Promise<void>;
}

/** The part of Okta's API that Sendoff uses, with paging, errors and secrets as the real one (idp-events.md §1). */
export async function startOktaEmulator({
  port = 0,
  token = 'okta-emulator-token',
}: {
  port?: number;
  token?: string;
} = {}): Promise<OktaEmulator> {
  const events = new EventEmitter();
  const server = await listen(async (request, response) => {
    const finish = (answer: Answer): void => {
      const entry = { method: request.method, path: request.path, status: answer.status };
      emulator.requests.push(entry);
      events.emit('request', entry);
      send(response, answer);
    };
    const { fault } = emulator;
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'reset') return void response.destroy();
    if (fault?.kind === 'garbage')
      return void response.writeHead(200, { 'content-type': 'application/json' }).end('<html>');
    if (fault?.kind === 'status')
      return finish({ status: fault.status, body: fault.body ?? oktaError('E0000009', 'Internal Server Error') });
    finish(await route(request, emulator));
  }, port);

  const record = (seed: LogEventSeed): Recorded => {
    const event = emulator.log.record(seed);
    emulator.unpushed.push(event);
    return event;
  };
  const known = (id: string): EmulatedUser => {
    const user = emulator.users.get(id);
    if (user === undefined) throw new Error(`the emulator has no user ${id}`);
    return user;
  };
  const emulator: OktaEmulator = {
    url: server.url,
    users: new Map(),
    apps: new Set(),
    inactiveApps: new Set(),
    appChangedAt: new Map(),
    requests: [],
    fault: null,
    throttled: new Map(),
    signIn: createSignIn(token),
    log: createSystemLog(() => server.url),
    eventHooks: createEventHooks(() => server.url),
    on: (event, listener) => void events.on(event, listener),
    addUser(seed) {
      const user = toUser(seed);
      emulator.users.set(user.id, user);
      record({ eventType: 'user.lifecycle.create', userId: user.id, login: user.login });
      if (user.status === 'ACTIVE')
        record({ eventType: 'user.lifecycle.activate', userId: user.id, login: user.login });
      return user;
    },
    setStatus(id, status) {
      const user = known(id);
      const eventType = eventOf(user.status, status);
      user.status = status;
      if (eventType !== null) record({ eventType, userId: id, login: user.login });
    },
    deleteUser(id) {
      const user = emulator.users.get(id);
      if (user === undefined) return;
      emulator.users.delete(id);
      for (const step of ['initiated', 'completed']) {
        record({ eventType: `user.lifecycle.delete.${step}`, userId: id, login: user.login });
      }
    },
    setMember(id, group, isMember) {
      const { groups, login } = known(id);
      if (isMember) groups.add(group);
      else groups.delete(group);
      record({ eventType: `group.user_membership.${isMember ? 'add' : 'remove'}`, userId: id, login, group });
    },
    record,
    unpushed: [],
    deliver: (hookUrl, secret, list) => deliver(hookUrl, secret, hookPayload(server.url, list)),
    pushAll: () => pushAll(emulator),
    close: server.close,
  };
  return emulator;
}

async function route(request: Request, emulator: OktaEmulator): Promise<Answer> {
  const { signIn, throttled, log, eventHooks, url } = emulator;
  if (request.method === 'POST' && request.path === '/oauth2/v1/token') return signIn.token(request, url);
  const refused = signIn.refuse(request);
  if (refused !== null) return refused;
  const reset = throttled.get(request.path) ?? 0;
  if (reset > Date.now() / 1_000) {
    const headers = { 'x-rate-limit-limit': '60', 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': String(reset) };
    const summary = 'API call exceeded rate limit due to too many requests.';
    return { status: 429, body: oktaError('E0000047', summary), headers };
  }
  const [, api, version, ...parts] = request.path.split('/').map(decodeURIComponent);
  if (api !== 'api' || version !== 'v1') return missing('path');
  if (parts[0] === 'eventHooks') return eventHooks.route(request, parts[1], parts[2] === 'lifecycle' ? parts[3] : '');
  if (request.method !== 'GET') return missing('path');
  return parts[0] === 'logs' ? log.answer(request) : directoryRoute(request, emulator, parts);
}

function eventOf(before: string, after: string): string | null {
  if (before === after) return null;
  if (after === 'DEPROVISIONED') return 'user.lifecycle.deactivate';
  if (after === 'SUSPENDED') return 'user.lifecycle.suspend';
  if (before === 'SUSPENDED') return 'user.lifecycle.unsuspend';
  return before === 'DEPROVISIONED' || before === 'STAGED' ? 'user.lifecycle.activate' : null;
}

async function pushAll(emulator: OktaEmulator): Promise<void> {
  const due = emulator.unpushed.splice(0);
  for (const { status, verificationStatus, events, channel } of emulator.eventHooks.hooks.values()) {
    if (status !== 'ACTIVE' || verificationStatus !== 'VERIFIED') continue;
    const { uri, authScheme } = channel.config;
    for (const event of due.filter(({ eventType }) => events.items.includes(eventType))) {
      const answer = await emulator.deliver(uri, authScheme.value, [event]);
      if (answer === 200 || answer === 204) continue;
      const reason = answer === 0 ? 'no answer' : `HTTP ${answer}`;
      emulator.log.record({ eventType: 'event_hook.delivery', userId: '', login: '', reason });
    }
  }
}

async function deliver(hookUrl: string, secret: string, payload: unknown): Promise<number> {
  const post = async (): Promise<number> => {
    try {
      const response = await fetch(hookUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: secret },
        body: JSON.stringify(payload),
        signal: AbortSignal.timeout(3_000),
      });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return 0;
    }
  };
  const status = await post();
  return status === 0 || status >= 500 ? post() : status;
}
