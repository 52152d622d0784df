import { randomUUID } from 'node:crypto';
import { type Answer, listen, type Request, send } from '../http.js';
import { route, tooMany, unauthorized } from './api.js';
import { type EmulatedEvent, type EmulatedUser, type OneLoginWorld, usualTypes } from './world.js';

export { broadcast, webhookBody, webhookEvent } from './webhook.js';

/** Ten hours, in seconds. */
const tokenLife = 36_000;

export const credentials = { clientId: 'onelogin-client', clientSecret: 'onelogin-client-secret' };

export type OneLoginFault =
  /** `path`: of this one alone. */
  | { kind: 'status'; status: number; body?: unknown; headers?: Record<string, string>; path?: string }
  /** The credentials' owner was deleted: every call answers 500. */
  | { kind: 'owner-deleted' }
  | { kind: 'throttled'; seconds: number }
  | { kind: 'hang' }
  | { kind: 'reset' }
  | { kind: 'garbage' };

export interface OneLoginEmulator extends OneLoginWorld {
  url: string;
  requests: { method: string; path: string; query: string; status: number }[];
  /** While set, every request ends like this. */
  fault: OneLoginFault | null;
  /** Gives tokens and takes none, as for credentials without the scope. */
  refusesTokens: boolean;
  /** Ends the token that is out, before its time. */
  revokeToken(): void;
  addUser(seed: Partial<EmulatedUser> & { id: number; email: string }): EmulatedUser;
  /** Keeps an event, as of now unless it says otherwise. */
  record(event: Partial<EmulatedEvent> & { event_type_id: number }): EmulatedEvent;
  close(): Promise<void>;
}

function isHit(fault: OneLoginFault | null, { path }: Request): boolean {
  return fault?.kind !== 'status' || fault.path === undefined || fault.path === path;
}

/** A OneLogin account: tokens, both versions of the API, throttling and failures as documented (idp-events.md §4.3). */
export async function startOneLoginEmulator(): Promise<OneLoginEmulator> {
  let token: { text: string; madeAt: number } | null = null;
  let lastEventId = 1_000;

  const server = await listen((request, response) => {
    const finish = (answer: Answer): void => {
      const { method, path, query } = request;
      emulator.requests.push({ method, path, query: query.toString(), status: answer.status });
      send(response, answer);
    };
    const fault = isHit(emulator.fault, request) ? emulator.fault : null;
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'reset') return void response.destroy();
    if (fault?.kind === 'garbage') {
      return void response.writeHead(200, { 'content-type': 'application/json' }).end('<html>');
    }
    if (fault?.kind === 'status') return finish(fault);
    if (fault?.kind === 'throttled') return finish(tooMany(fault.seconds));
    if (fault?.kind === 'owner-deleted') return finish({ status: 500, body: { message: 'Internal Server Error' } });
    if (request.path === '/auth/oauth2/v2/token') return finish(tokenAnswer(request));
    if (
      emulator.refusesTokens ||
      token === null ||
      !isValid() ||
      request.headers.authorization !== `bearer ${token.text}`
    ) {
      return finish(unauthorized());
    }
    finish(route(request, emulator));
  });

  const isValid = () => token !== null && Date.now() < token.madeAt + tokenLife * 1_000;

  function tokenAnswer({ method, headers, body }: Request): Answer {
    const { clientId, clientSecret } = credentials;
    const isOurs = headers.authorization === `client_id:${clientId}, client_secret:${clientSecret}`;
    if (method !== 'POST' || !isOurs) return unauthorized();
    if ((body as { grant_type?: unknown } | undefined)?.grant_type !== 'client_credentials') {
      return { status: 400, body: { statusCode: 400, name: 'BadRequestError', message: 'grant_type is required' } };
    }
    // The same token until it ends.
    if (token === null || !isValid()) token = { text: randomUUID(), madeAt: Date.now() };
    return {
      status: 200,
      body: {
        access_token: token.text,
        created_at: new Date(token.madeAt).toISOString(),
        expires_in: tokenLife,
        refresh_token: randomUUID(),
        token_type: 'bearer',
        account_id: 92920,
      },
    };
  }

  const emulator: OneLoginEmulator = {
    url: server.url,
    users: new Map(),
    roles: new Map(),
    groups: new Map(),
    apps: new Set(),
    hiddenApps: new Set(),
    events: [],
    eventTypes: new Map(usualTypes),
    rolesInUser: true,
    requests: [],
    fault: null,
    refusesTokens: false,
    revokeToken() {
      token = null;
    },
    addUser(seed) {
      const user: EmulatedUser = {
        username: seed.email,
        firstname: 'Some',
        lastname: 'One',
        status: 1,
        state: 1,
        activated_at: '2024-01-01T00:00:00.000Z',
        manager_user_id: null,
        group_id: null,
        roles: new Set(),
        apps: new Set(),
        ...seed,
      };
      emulator.users.set(user.id, user);
      return user;
    },
    record(seed) {
      lastEventId += 1;
      const event: EmulatedEvent = {
        id: lastEventId,
        created_at: new Date().toISOString(),
        account_id: 92920,
        user_id: null,
        user_name: null,
        role_id: null,
        role_name: null,
        app_id: null,
        ...seed,
      };
      emulator.events.push(event);
      return event;
    },
    close: server.close,
  };
  return emulator;
}
