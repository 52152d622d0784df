import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { listen, type Request, send } from '../http.js';
import { type Fault, Faults } from './faults.js';
import { answerUsers, type EmulatedTwilioUser, type ScimAnswer, scimError, type TwilioUserSeed } from './users.js';

export type { EmulatedTwilioUser, TwilioUserSeed } from './users.js';

/** One request as the emulator saw it: what tests judge by. Holds no secret. */
export interface JournalEntry {
  at: number;
  method: string;
  path: string;
  query: string;
  /** 0: no answer was given. */
  status: number;
  /** Did it change anything? */
  applied: boolean;
  ifMatch: string | null;
  /** Of a token request only which grant it used. */
  body: unknown;
}

export interface TwilioEmulator {
  /** For targets.twilio. */
  baseUrl: string;
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
  /** Every request in the order of arrival; never edited. */
  journal: JournalEntry[];
  faults: Faults;
  /** By id. */
  users: Map<string, EmulatedTwilioUser>;
  /** Told of every request once it is answered (or deliberately is not). */
  on(event: 'request', listener: (entry: JournalEntry) => void): void;
  addUser(seed: TwilioUserSeed): EmulatedTwilioUser;
  /** A refresh token that an admin's authorisation would give. With `rotate`, each use replaces it by another. */
  grantRefreshToken(options?: { rotate?: boolean }): string;
  /** The tokens that were handed out work no longer. */
  revokeAccessTokens(): void;
  /** Requests that changed something. */
  applied(): JournalEntry[];
  /** Requests for a token. */
  tokenRequests(): JournalEntry[];
  close(): Promise<void>;
}

const scimPath = '/scim/v2';
const tokenPath = '/v2/token';

/** A Twilio Organization's OAuth token endpoint and SCIM Users (sendgrid.md §11), with faults on request. */
export async function startTwilioEmulator({
  port = 0,
  clientId = 'OQ00000000000000000000000000000001',
  clientSecret = 'twilio-emulator-client-secret',
  tokenSeconds = 3_600,
}: {
  port?: number;
  clientId?: string;
  clientSecret?: string;
  tokenSeconds?: number;
} = {}): Promise<TwilioEmulator> {
  const users = new Map<string, EmulatedTwilioUser>();
  const accessTokens = new Set<string>();
  const refreshTokens = new Map<string, { rotate: boolean }>();
  const journal: JournalEntry[] = [];
  const events = new EventEmitter();
  const faults = new Faults();

  const server = await listen((request, response) => {
    const run = () => (request.path === tokenPath ? answerToken(request) : answerScim(request));
    const seen = (status: number, applied: boolean): void => {
      const entry = entryOf(request, status, applied);
      journal.push(entry);
      events.emit('request', entry);
    };
    const finish = (result: ScimAnswer): void => {
      seen(result.status, result.applied ?? false);
      const type = request.path === tokenPath ? 'application/json' : 'application/scim+json';
      send(response, { ...result, headers: { 'content-type': type, ...result.headers } });
    };
    const fault = faults.strike(request);
    if (fault === null) return finish(run());
    misbehave(fault, { request, response, run, seen, finish });
  }, port);

  function answerToken({ method, rawBody }: Request): ScimAnswer {
    if (method !== 'POST') return { status: 405 };
    const form = new URLSearchParams(rawBody);
    if (form.get('client_id') !== clientId || form.get('client_secret') !== clientSecret)
      return { status: 401, body: { error: 'invalid_client', error_description: 'Client authentication failed' } };
    switch (form.get('grant_type')) {
      case 'client_credentials':
        return issue(null);
      case 'refresh_token': {
        const given = form.get('refresh_token') ?? '';
        const grant = refreshTokens.get(given);
        if (grant === undefined) return { status: 400, body: { error: 'invalid_grant' } };
        if (!grant.rotate) return issue(given);
        refreshTokens.delete(given);
        return issue(grantRefreshToken(grant));
      }
      default:
        return { status: 400, body: { error: 'unsupported_grant_type' } };
    }
  }

  function issue(refreshToken: string | null): ScimAnswer {
    const token = `access-${randomBytes(24).toString('base64url')}`;
    accessTokens.add(token);
    return {
      status: 200,
      body: {
        access_token: token,
        id_token: null,
        token_type: 'Bearer',
        expires_in: tokenSeconds,
        refresh_token: refreshToken,
      },
    };
  }

  function answerScim(request: Request): ScimAnswer {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || !accessTokens.has(token)) return scimError(401, 'Unauthorized', { code: 20003 });
    const parts = /^\/scim\/v2\/Users(?:\/([^/]+))?$/.exec(request.path);
    if (parts === null) return { status: 404, body: { code: 20404, message: `${request.path} was not found` } };
    return answerUsers(users, request, parts[1] === undefined ? null : decodeURIComponent(parts[1]));
  }

  function grantRefreshToken({ rotate = false }: { rotate?: boolean } = {}): string {
    const token = `refresh-${randomBytes(24).toString('base64url')}`;
    refreshTokens.set(token, { rotate });
    return token;
  }

  return {
    baseUrl: `${server.url}${scimPath}`,
    tokenUrl: `${server.url}${tokenPath}`,
    clientId,
    clientSecret,
    journal,
    faults,
    users,
    on: (event, listener) => void events.on(event, listener),
    addUser(seed) {
      const user: EmulatedTwilioUser = {
        id: seed.id ?? `US${String(users.size + 1).padStart(32, '0')}`,
        userName: seed.userName,
        externalId: seed.externalId ?? null,
        active: seed.active ?? true,
        isOwner: seed.isOwner ?? false,
        isSuspended: seed.isSuspended ?? false,
        revision: 1,
      };
      users.set(user.id, user);
      return user;
    },
    grantRefreshToken,
    revokeAccessTokens: () => accessTokens.clear(),
    applied: () => journal.filter((entry) => entry.applied),
    tokenRequests: () => journal.filter((entry) => entry.path === tokenPath),
    close: server.close,
  };
}

interface Struck {
  request: Request;
  response: ServerResponse;
  run(): ScimAnswer;
  seen(status: number, applied: boolean): void;
  finish(result: ScimAnswer): void;
}

function misbehave(fault: Fault, { request, response, run, seen, finish }: Struck): void {
  switch (fault.kind) {
    case 'status': {
      const { status, retryAfter, body = scimError(status, `fault ${status}`).body } = fault;
      finish({ status, body, ...(retryAfter === undefined ? {} : retry(retryAfter)) });
      break;
    }
    case 'hang':
      seen(0, false);
      break;
    case 'reset':
      seen(0, false);
      response.destroy();
      break;
    case 'apply-then-hang':
      seen(0, run().applied ?? false);
      break;
    case 'accept-and-ignore':
      finish(request.method === 'GET' ? run() : { status: 200, body: {} });
      break;
    case 'garbage':
      seen(200, false);
      response.writeHead(200, { 'content-type': 'application/json' }).end(fault.body);
      break;
    case 'redirect':
      finish({ status: 302, headers: { location: fault.location } });
  }
}

function retry(seconds: number): { headers: Record<string, string> } {
  return { headers: { 'retry-after': String(seconds) } };
}

function entryOf(request: Request, status: number, applied: boolean): JournalEntry {
  const grant = request.path === tokenPath ? new URLSearchParams(request.rawBody).get('grant_type') : null;
  return {
    at: Date.now(),
    method: request.method,
    path: request.path,
    query: request.query.toString(),
    status,
    applied,
    ifMatch: request.headers['if-match'] ?? null,
    body: request.path === tokenPath ? { grant_type: grant } : (request.body ?? null),
  };
}
