import { z } from 'zod';
import { WaitError } from '#shared/errors.js';
import { readFingerprints } from '#shared/store/changes.js';
import { openChangeStream } from '../change-stream.js';
import type { ApiContext, ApiServer } from './context.js';

const retryMs = 30_000;

export function streamRoutes(app: ApiServer, { db }: ApiContext): void {
  const changes = openChangeStream(() => readFingerprints(db));
  // Before the server waits for its connections: these would never end by themselves.
  app.addHook('preClose', async () => changes.close());

  app.get(
    '/stream',
    {
      // A HEAD of it would have no end.
      exposeHeadRoute: false,
      config: { access: 'viewer' },
      schema: {
        tags: ['overview'],
        summary: 'Which views changed, as server-sent events: `changed` with `{"kinds": ["plans", …]}`; it has no end',
        response: { 200: z.string().describe('text/event-stream') },
      },
      serializerCompiler: () => (data) => String(data),
    },
    async (request, reply) => {
      const stream = await changes.join(() => app.mayStill(request, 'viewer'));
      if (stream === null) {
        throw new WaitError('too many pages watch this process', retryMs, {
          code: 'STREAM_FULL',
          blame: 'remote',
          remedy: 'ask every few seconds instead, or run another web process',
        });
      }
      // Whoever left while it was being opened left no word of it with the stream.
      reply.raw.once('close', () => stream.destroy());
      if (reply.raw.destroyed) stream.destroy();
      reply
        .type('text/event-stream; charset=utf-8')
        // A proxy must neither keep it, nor collect or compress it before it passes it on (nginx: the second one).
        .header('cache-control', 'no-store, no-transform')
        .header('x-accel-buffering', 'no');
      // The schema describes the text; a stream goes out as it is.
      return reply.send(stream as unknown as string);
    },
  );
}
