import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { mayActAs, type Role, roleOf } from '#shared/access/roles.js';
import { appendAudit } from '#shared/audit/append.js';
import type { SignInConfig } from '#shared/config/schema-sign-in.js';
import { sameSecret } from '#shared/secrets.js';
import { standingToken, useToken } from '#shared/store/api-tokens.js';
import type { Db } from '#shared/store/database.js';
import { standingSession, useSession } from '#shared/store/sessions.js';
import { cookieOf } from './cookies.js';
import { signInPage } from './pages.js';
import { type Problem, sendProblem } from './problem.js';
import { isCrossSite } from './same-site.js';

/** Who may ask for a route. `sender`: identity providers, whom the route itself tells apart. */
export type Access = 'public' | 'sender' | Role;

/** Somebody who has proved who they are. */
export interface Caller {
  /** As the audit trail calls them: `user:jane@acme.com`, `token:grafana`, `admin-token`. */
  actor: string;
  role: Role;
  /** A cookie travels by itself, wherever a request was made from; a bearer token does not. */
  by: 'cookie' | 'bearer';
  provenMsAgo: number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The least role. A route without one is no route: the server does not start. */
    access?: Access;
    /** It lets something happen that a guard held back: who asks must have proved who they are just now. */
    fresh?: boolean;
  }
  interface FastifyRequest {
    caller: Caller | null;
  }
  interface FastifyInstance {
    /** Every route there is, once the server is ready: what the role matrix is checked against. */
    guarded: RouteOptions[];
    /** Would this request, which was let in a while ago, be let in now? To ask keeps no session open. */
    mayStill(request: FastifyRequest, needs: Role): Promise<boolean>;
  }
}

/** An unattended browser answers no plan (reliability.md §11, 28). */
const freshMs = 5 * 60_000;

export interface AccessOptions {
  db: Db;
  adminToken: string | null;
  /** null: nobody signs in by name. */
  signIn: Pick<SignInConfig, 'roles'> | null;
}

/** Finds out who asks, and lets nobody ask for more than their role allows. To be called before any route is added. */
export function guardRoutes(app: FastifyInstance, options: AccessOptions): void {
  app.decorateRequest('caller', null);
  const routes: RouteOptions[] = [];
  app.decorate('guarded', routes);
  app.decorate('mayStill', async (request, needs) => {
    const caller = await callerOf(request, options, { session: standingSession, token: standingToken });
    return caller !== null && mayActAs(caller.role, needs);
  });
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config };
    if (/^\/(hooks|scim)\//.test(route.url)) route.config.access ??= 'sender';
    routes.push(route);
  });
  app.addHook('onReady', async () => {
    const open = routes.filter((route) => route.config?.access === undefined);
    if (open.length > 0) throw new Error(`no role in the config of ${open.map(({ url }) => url).join(', ')}`);
  });
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) return;
    const { access, fresh = false } = request.routeOptions.config;
    if (access === 'public' || access === 'sender') return;
    reply.header('cache-control', 'no-store');
    request.caller = await callerOf(request, options);
    if (request.caller === null && wantsPage(request)) {
      return reply
        .code(401)
        .type('text/html; charset=utf-8')
        .send(signInPage(null, options.signIn !== null));
    }
    // Answered here, not thrown: the dashboard has a way of its own with what is thrown.
    const refusal = await refusalOf(options.db, request, { access: access ?? 'admin', fresh });
    if (refusal !== null) return sendProblem(reply, refusal);
  });
}

/** Who asks; null: nobody we know. @param read by default it counts as a use, which keeps a session open */
export async function callerOf(
  request: FastifyRequest,
  { db, adminToken, signIn }: AccessOptions,
  read: { session: typeof useSession; token: typeof useToken } = { session: useSession, token: useToken },
): Promise<Caller | null> {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const bearer = /^Bearer ([^\s]+)$/i.exec(authorization)?.[1];
    if (bearer === undefined) return null;
    if (adminToken !== null && sameSecret(bearer, adminToken)) {
      return { actor: 'admin-token', role: 'admin', by: 'bearer', provenMsAgo: 0 };
    }
    const token = await read.token(db, bearer);
    return token === null ? null : { actor: `token:${token.name}`, role: token.role, by: 'bearer', provenMsAgo: 0 };
  }
  const cookie = cookieOf(request);
  const session = cookie === null ? null : await read.session(db, cookie);
  if (session === null) return null;
  const { actor, provenMsAgo } = session;
  const role = session.userId === null ? 'admin' : signIn === null ? null : roleOf(signIn.roles, session.groups);
  return role === null ? null : { actor, role, by: 'cookie', provenMsAgo };
}

/** Who asks, in a route that not everybody may ask for. */
export function actorOf(request: FastifyRequest): string {
  if (request.caller === null) throw new Error(`${request.routeOptions.url} is open to everybody: nobody acts there`);
  return request.caller.actor;
}

/** Why this caller may not ask; null: they may. */
async function refusalOf(
  db: Db,
  request: FastifyRequest,
  { access, fresh }: { access: Role; fresh: boolean },
): Promise<Problem | null> {
  const { caller } = request;
  if (caller === null)
    return refusal(401, 'UNAUTHENTICATED', 'who asks is not known', 'sign in, or send a token as Bearer');
  if (!mayActAs(caller.role, access)) {
    const route = request.routeOptions.url ?? '';
    await appendAudit(db, {
      kind: 'access.refused',
      actor: caller.actor,
      detail: { method: request.method, route, role: caller.role, needs: access },
    });
    return refusal(
      403,
      'ROLE_MISSING',
      `this takes the role ${access}; yours is ${caller.role}`,
      'ask an administrator',
    );
  }
  const writes = request.method !== 'GET' && request.method !== 'HEAD';
  if (caller.by === 'cookie' && writes && isCrossSite(request)) {
    return refusal(403, 'CROSS_SITE', 'this request came from another site', 'use the console itself');
  }
  if (fresh && caller.by === 'cookie' && caller.provenMsAgo > freshMs) {
    return refusal(403, 'REAUTHENTICATE', 'you signed in more than 5 minutes ago', 'sign in again: /sign-in/again');
  }
  return null;
}

function wantsPage(request: FastifyRequest): boolean {
  const { accept, authorization } = request.headers;
  return authorization === undefined && (accept ?? '').includes('text/html') && !request.url.startsWith('/api');
}

function refusal(status: number, code: string, detail: string, remedy: string): Problem {
  return { status, code, detail, remedy };
}
