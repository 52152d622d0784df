import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SendoffError } from '#shared/errors.js';
import type { Db } from '#shared/store/database.js';
import { giveTurnBack, keepAnswer, takeTurn } from '#shared/store/idempotency.js';
import { actorOf } from '../access.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer holds a secret: it is not kept, and a repetition is told so. */
    shownOnce?: boolean;
    /** Changes nothing, whatever its method. */
    reads?: boolean;
  }
  interface FastifyRequest {
    /** The key of a request that is being answered for the first time. */
    turn: { actor: string; key: string } | null;
  }
}

/**
 * A write with an `Idempotency-Key` is done once: whoever repeats it within a day gets the first answer again
 * (draft-ietf-httpapi-idempotency-key-header). Refusals are kept too; what failed may be tried again.
 */
export function onceForEachKey(app: FastifyInstance, db: Db): void {
  app.decorateRequest('turn', null);

  app.addHook('preHandler', async (request, reply) => {
    const key = keyOf(request);
    if (key === null) return;
    const actor = actorOf(request);
    const turn = await takeTurn(db, actor, key, hashOf(request));
    if (turn.kind === 'first') {
      request.turn = { actor, key };
      return;
    }
    if (turn.kind === 'other-request')
      throw refusal('IDEMPOTENCY_REUSED', 'this key was used for another request', 'make a new key for each request');
    if (turn.kind === 'under-way') {
      reply.header('retry-after', 1);
      throw refusal(
        'IDEMPOTENCY_UNDER_WAY',
        'the first request with this key is not answered yet',
        'repeat it in a moment',
      );
    }
    const { status, body } = turn.answer;
    reply.header('idempotency-replayed', 'true').type(status >= 400 ? 'application/problem+json' : 'application/json');
    return reply
      .code(status)
      .serializer((text: string) => text)
      .send(body);
  });

  app.addHook('onSend', async (request, reply, payload) => {
    const { turn } = request;
    if (turn === null) return payload;
    const isText = typeof payload === 'string';
    if (reply.statusCode >= 500 || !isText) await giveTurnBack(db, turn.actor, turn.key);
    else if (request.routeOptions.config.shownOnce === true && reply.statusCode < 400) {
      await keepAnswer(db, turn.actor, turn.key, { status: 409, body: JSON.stringify(alreadyShown) });
    } else await keepAnswer(db, turn.actor, turn.key, { status: reply.statusCode, body: payload });
    return payload;
  });
}

const alreadyShown = {
  type: 'about:blank',
  title: 'Conflict',
  status: 409,
  code: 'SHOWN_ONCE',
  detail: 'this was done before; what it showed is shown once',
};

function keyOf(request: FastifyRequest): string | null {
  const key = request.headers['idempotency-key'];
  const { reads = request.method === 'GET' || request.method === 'HEAD' } = request.routeOptions.config;
  if (key === undefined || reads) return null;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,200}$/.test(key)) return key;
  throw refusal(
    'IDEMPOTENCY_INVALID',
    'that is no Idempotency-Key',
    'send 1 to 200 visible characters, such as a UUID',
  );
}

function hashOf({ method, url, body }: FastifyRequest): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([method, url, body ?? null]))
    .digest();
}

function refusal(code: string, message: string, remedy: string): SendoffError {
  return new SendoffError(message, { code, blame: 'input', remedy });
}
