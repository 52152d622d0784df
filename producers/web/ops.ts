import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import type { JobQueue } from '#shared/queue/queue.js';
import type { Db } from '#shared/store/database.js';
import type { Metrics } from '#shared/telemetry/metrics.js';

/** `/healthz`: the process is alive. `/readyz`: the database answers; a lost queue is degraded, for intake goes on. */
export function registerOps(
  app: FastifyInstance,
  { db, queue, metrics, isStopping }: { db: Db; queue: JobQueue; metrics: Metrics; isStopping(): boolean },
): void {
  app.get('/healthz', { config: { access: 'public' } }, async () => ({ status: 'ok' }));

  app.get('/readyz', { config: { access: 'public' } }, async (_request, reply) => {
    if (isStopping()) return reply.code(503).send({ status: 'stopping' });
    const [database, jobs] = await Promise.all([answers(sql`select 1`.execute(db)), within2s(queue.ping())]);
    const status = database ? (jobs ? 'ok' : 'degraded') : 'unavailable';
    const body = { status, database: database ? 'ok' : 'unreachable', queue: jobs ? 'ok' : 'unreachable' };
    return reply.code(database ? 200 : 503).send(body);
  });

  app.get('/metrics', { config: { access: 'viewer' } }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.read()),
  );
}

function answers(work: Promise<unknown>): Promise<boolean> {
  return within2s(
    work.then(
      () => true,
      () => false,
    ),
  );
}

function within2s(work: Promise<boolean>): Promise<boolean> {
  return Promise.race([work, new Promise<boolean>((resolve) => setTimeout(resolve, 2_000, false).unref())]);
}
