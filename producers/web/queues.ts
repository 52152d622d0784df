import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import { appendAudit } from '#shared/audit/append.js';
import type { JobQueue } from '#shared/queue/queue.js';
import type { Db } from '#shared/store/database.js';
import { actorOf } from './access.js';

/**
 * The queue dashboard. It holds ids only; whatever is done there, the database stays the record, so that a retried,
 * removed or emptied queue does no harm. Changes are audited.
 */
export function registerQueues(app: FastifyInstance, { db, queue }: { db: Db; queue: JobQueue }): void {
  const adapter = new FastifyAdapter();
  adapter.setBasePath('/queues');
  createBullBoard({
    queues: queue.queues.map(
      (one) => new BullMQAdapter(one as unknown as ConstructorParameters<typeof BullMQAdapter>[0]),
    ),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Sendoff queues', hideRedisDetails: true } },
  });
  // Its own handler answers with stacks.
  adapter.setErrorHandler(() => ({ status: 500, body: { error: 'Internal Server Error' } }));
  app.register(async (board) => {
    board.addHook('onRoute', (route) => {
      const reads = [route.method].flat().every((method) => method === 'GET' || method === 'HEAD');
      route.config = { ...route.config, access: reads ? 'viewer' : 'operator' };
    });
    board.addHook('onRequest', async (request) => {
      if (request.method === 'GET' || request.method === 'HEAD') return;
      await appendAudit(db, {
        kind: 'queue.changed',
        actor: actorOf(request),
        detail: { method: request.method, path: request.url.split('?')[0] ?? '' },
      });
    });
    await board.register(adapter.registerPlugin(), { prefix: '/queues' });
  });
}
