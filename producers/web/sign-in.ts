import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { roleOf } from '#shared/access/roles.js';
import { appendAudit } from '#shared/audit/append.js';
import type { SignInConfig } from '#shared/config/schema-sign-in.js';
import { messageOf, SendoffError } from '#shared/errors.js';
import { sameSecret } from '#shared/secrets.js';
import { closeSession, type NewSession, openSession, userFor } from '#shared/store/sessions.js';
import type { Log } from '#shared/telemetry/log.js';
import { type AccessOptions, callerOf } from './access.js';
import type { SendConsole } from './console.js';
import { attemptOf, clearAttempt, clearCookie, cookieOf, setAttempt, setCookie } from './cookies.js';
import type { IdentityProvider } from './identity-provider.js';
import { homePage, signInPage } from './pages.js';
import { isCrossSite } from './same-site.js';

const attemptsPerMinute = 10;

export interface SignInOptions extends AccessOptions {
  signIn: SignInConfig | null;
  /** null: nobody signs in by name. */
  provider: IdentityProvider | null;
  /** null: the console is not built. */
  sendConsole: SendConsole | null;
  log: Log;
}

/** `/` is the sign-in page, or the way on for who is signed in. */
export function registerSignIn(app: FastifyInstance, options: SignInOptions): void {
  app.get('/', { config: { access: 'public' } }, async (request, reply) => {
    const caller = await callerOf(request, options);
    const byName = options.provider !== null;
    if (caller === null) return html(reply, 200, signInPage(null, byName));
    return options.sendConsole?.(reply) ?? html(reply, 200, homePage(caller));
  });

  app.post('/sign-out', { config: { access: 'public' } }, async (request, reply) => {
    if (isCrossSite(request)) return html(reply, 403, signInPage('This form was sent from another site.', false));
    const cookie = cookieOf(request);
    const actor = cookie === null ? null : await closeSession(options.db, cookie);
    if (actor !== null) await appendAudit(options.db, { kind: 'session.closed', actor });
    clearCookie(request, reply);
    return reply.redirect('/', 303);
  });

  registerByToken(app, options);
  if (options.provider !== null) registerByName(app, options, options.provider);
}

/** By SENDOFF_ADMIN_TOKEN: for the first use, and for the day on which the identity provider is away. */
function registerByToken(app: FastifyInstance, { db, adminToken, provider }: SignInOptions): void {
  const failures = new FailureLimit();
  const byName = provider !== null;

  app.post<{ Body: { token?: unknown } | undefined }>(
    '/sign-in',
    { config: { access: 'public' } },
    async (request, reply) => {
      if (isCrossSite(request)) return html(reply, 403, signInPage('This form was sent from another site.', byName));
      if (failures.tooMany()) {
        return html(reply.header('retry-after', 60), 429, signInPage('Too many attempts; wait a minute.', byName));
      }
      const token = request.body?.token;
      if (typeof token !== 'string' || adminToken === null || !sameSecret(token, adminToken)) {
        failures.count();
        await appendAudit(db, { kind: 'session.refused', actor: 'unknown', detail: { by: 'admin-token' } });
        return html(reply, 401, signInPage('That is not the admin token.', byName));
      }
      await begin(request, reply, { actor: 'admin-token', userId: null, groups: [], provenAt: null });
      return reply.redirect('/', 303);
    },
  );

  async function begin(request: FastifyRequest, reply: FastifyReply, session: NewSession): Promise<void> {
    await beginSession({ db }, request, reply, session);
    await appendAudit(db, { kind: 'session.opened', actor: session.actor, detail: { by: 'admin-token' } });
  }
}

/** By OpenID Connect. */
function registerByName(app: FastifyInstance, options: SignInOptions, provider: IdentityProvider): void {
  const { db, log } = options;

  for (const [path, again] of [
    ['/sign-in/by-name', false],
    ['/sign-in/again', true],
  ] as const) {
    app.get<{ Querystring: { to?: unknown } }>(path, { config: { access: 'public' } }, async (request, reply) => {
      try {
        const { url, sealed } = await provider.begin({ to: ownPath(request.query.to), again });
        setAttempt(request, reply, sealed);
        return reply.header('cache-control', 'no-store').redirect(url, 303);
      } catch (error) {
        return failed(reply, error);
      }
    });
  }

  app.get('/sign-in/callback', { config: { access: 'public' } }, async (request, reply) => {
    const query = request.raw.url?.split('?')[1] ?? '';
    const sealed = attemptOf(request);
    // Whatever comes of it, it is used up.
    clearAttempt(request, reply);
    try {
      const { issuer, subject, name, groups, provenAt, to } = await provider.finish(query, sealed);
      const role = options.signIn === null ? null : roleOf(options.signIn.roles, groups);
      if (role === null) return await withoutRole(reply, name);
      const user = await userFor(db, { issuer, subject, name });
      const actor = `user:${user.name}`;
      await beginSession(options, request, reply, { actor, userId: user.id, groups, provenAt });
      await appendAudit(db, { kind: 'session.opened', actor, detail: { by: 'oidc', issuer, role } });
      return reply.redirect(to, 303);
    } catch (error) {
      return failed(reply, error);
    }
  });

  async function withoutRole(reply: FastifyReply, name: string): Promise<FastifyReply> {
    await appendAudit(db, { kind: 'session.refused', actor: `user:${name}`, detail: { by: 'oidc', why: 'no role' } });
    const text =
      'The identity provider knows you, but none of your groups has a role in Sendoff. Ask an administrator.';
    return html(reply, 403, signInPage(text, true));
  }

  async function failed(reply: FastifyReply, error: unknown): Promise<FastifyReply> {
    if (!(error instanceof SendoffError)) throw error;
    const isAway = error.code === 'PROVIDER_UNAVAILABLE';
    log.warn({ code: error.code, cause: messageOf(error.cause) }, 'somebody could not sign in');
    if (!isAway) {
      await appendAudit(db, { kind: 'session.refused', actor: 'unknown', detail: { by: 'oidc', code: error.code } });
    }
    const text = `${error.message[0]?.toUpperCase()}${error.message.slice(1)}. ${error.remedy ?? ''}`;
    return html(reply, isAway ? 503 : error.code === 'SIGN_IN_REFUSED' ? 401 : 403, signInPage(text, true));
  }
}

/** Whatever session the browser had before is over: what was planted in it opens nothing. */
async function beginSession(
  { db }: Pick<SignInOptions, 'db'>,
  request: FastifyRequest,
  reply: FastifyReply,
  session: NewSession,
): Promise<void> {
  const former = cookieOf(request);
  if (former !== null) await closeSession(db, former);
  setCookie(request, reply, await openSession(db, session));
}

/** A path of this service, and nothing that a browser could take for another host. */
function ownPath(to: unknown): string {
  return typeof to === 'string' && /^\/(?![/\\])[\w\-./~%?=&]*$/.test(to) ? to : '/';
}

function html(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(body);
}

/** Counts failed sign-ins of the last minute in this process: enough to make guessing hopeless. */
class FailureLimit {
  private times: number[] = [];

  tooMany(): boolean {
    const since = Date.now() - 60_000;
    this.times = this.times.filter((time) => time > since);
    return this.times.length >= attemptsPerMinute;
  }

  count(): void {
    this.times.push(Date.now());
  }
}
