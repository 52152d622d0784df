import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { messageOf } from '#shared/errors.js';
import type { Db } from '#shared/store/database.js';
import type { Intake } from '#shared/store/intake.js';
import { wakeTasks } from '#shared/store/source-tasks.js';
import type { Log } from '#shared/telemetry/log.js';
import { inSpan } from '#shared/telemetry/trace.js';
import type { Answer, HookRequest, PushSource, Source, Verdict } from './source.js';

/** A later 2xx is a failure to the sender and a duplicate to us: say 503 while it still listens (Okta waits 3 s). */
const answerWithinMs = 1_900;

/** Counts what leaves no row. */
export interface IntakeCounts {
  refused(source: string): void;
  answered(source: string, status: number): void;
}

/**
 * `/hooks/<source>`: raw body -> verify -> normalize -> inbox -> acknowledge. The only way to a 2xx is a commit.
 * An unknown source and a wrong secret get the same answer.
 */
export function registerHooks(
  app: FastifyInstance,
  {
    sources,
    db,
    intake,
    nudge,
    counts,
    log,
  }: { sources: Source[]; db: Db; intake: Intake; nudge(): void; counts: IntakeCounts; log: Log },
): void {
  const byName = new Map<string, { name: string; push: PushSource }>();
  for (const { name, push } of sources) if (push !== null) byName.set(name, { name, push });

  app.register(async (hooks) => {
    // Bytes first: nothing may decode or parse a body before it is verified.
    hooks.removeAllContentTypeParsers();
    hooks.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

    for (const path of ['/hooks/:source', '/hooks/:source/lifecycle']) {
      hooks.get<{ Params: { source: string } }>(path, async (request, reply) => {
        const asked = questionOf(byName.get(request.params.source)?.push, 'GET', toHookRequest(request));
        if (asked === null) return unauthorized(reply);
        say(reply, asked);
        return reply;
      });

      // No browser asks here, and headers for one would be a tenth of the work.
      hooks.post<{ Params: { source: string } }>(path, { helmet: false }, async (request, reply) => {
        const { source: name } = request.params;
        const status = await receive(request, reply);
        counts.answered(byName.has(name) ? name : 'unknown', status);
        return reply;
      });

      hooks.route({
        method: ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'],
        url: path,
        handler: async (_request, reply) => reply.code(405).header('allow', 'GET, HEAD, POST').send(),
      });
    }
  });

  async function receive(
    request: FastifyRequest<{ Params: { source: string } }>,
    reply: FastifyReply,
  ): Promise<number> {
    const source = byName.get(request.params.source);
    const until = performance.now() + answerWithinMs;
    if (request.headers['content-encoding'] !== undefined) return answer(reply, 415);
    const hook = toHookRequest(request);
    const asked = questionOf(source?.push, 'POST', hook);
    if (asked !== null) return say(reply, asked);
    if (source === undefined) return refuse(reply, 'unknown', { ok: false, why: 'unauthenticated' });
    const verdict = await verified(source, hook, until);
    if (!verdict.ok) return refuse(reply, source.name, verdict);
    const entries = source.push.normalize(hook);
    const wanted = source.push.asksFor?.(hook) ?? [];
    try {
      const { stored, duplicates } = await inSpan('store events', { 'sendoff.source': source.name }, async (note) => {
        const result = await within(until, intake.store(source.name, entries));
        note({ 'sendoff.events': result.stored, 'sendoff.duplicates': result.duplicates });
        return result;
      });
      await within(until, wakeTasks(db, source.name, wanted));
      log.debug({ source: source.name, stored, duplicates }, 'delivery stored');
    } catch (error) {
      log.error(
        { source: source.name, error: messageOf(error) },
        'a delivery could not be stored; the sender is told to retry',
      );
      return unavailable(reply);
    }
    nudge();
    return answer(reply, source.push.accepted ?? 204);
  }

  async function verified(
    { name, push }: { name: string; push: PushSource },
    hook: HookRequest,
    until: number,
  ): Promise<Verdict> {
    try {
      return await within(until, Promise.resolve(push.verify(hook)));
    } catch (error) {
      log.error({ source: name, error: messageOf(error) }, 'a delivery could not be checked');
      return { ok: false, why: 'unavailable' };
    }
  }

  function refuse(reply: FastifyReply, source: string, verdict: Exclude<Verdict, { ok: true }>): number {
    switch (verdict.why) {
      case 'misconfigured':
        log.error({ source }, 'a hook cannot be checked: its secret is not configured');
        return unavailable(reply);
      case 'unavailable':
        return unavailable(reply);
      case 'unauthenticated':
        counts.refused(source);
        unauthorized(reply);
        return 401;
      case 'discarded':
        counts.refused(source);
        return answer(reply, 202);
      case 'refused':
        counts.refused(source);
        return say(reply, verdict.answer);
    }
  }
}

function questionOf(push: PushSource | undefined, method: 'GET' | 'POST', hook: HookRequest): Answer | null {
  if (push?.handshake === undefined || (push.handshakeBy ?? 'GET') !== method) return null;
  return push.handshake(hook);
}

function say(reply: FastifyReply, { status, headers, body }: Answer): number {
  reply.code(status).headers(headers).send(body);
  return status;
}

function toHookRequest(request: FastifyRequest): HookRequest {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  return {
    part: request.url.split('?')[0]?.endsWith('/lifecycle') ? 'lifecycle' : 'events',
    headers: request.headers,
    rawHeaders: request.raw.rawHeaders,
    query: request.query as Record<string, unknown>,
    body,
  };
}

function answer(reply: FastifyReply, status: number): number {
  reply.code(status).send();
  return status;
}

function unauthorized(reply: FastifyReply): FastifyReply {
  return reply.code(401).header('www-authenticate', 'Sendoff').send();
}

/** Okta never retries a 4xx: what is our fault must be a 5xx (reliability.md §6). */
function unavailable(reply: FastifyReply): number {
  reply.code(503).header('retry-after', 5).send();
  return 503;
}

/** @param until on the clock of `performance.now()` */
function within<T>(until: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it took too long')), Math.max(0, until - performance.now()));
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
