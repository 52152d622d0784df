import fastifyOtel from '@fastify/otel';
import { context } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';

// Loaded by server.ts alone, and only when traces are on.

/** What only reads is asked all the time, by browsers and monitors. */
const readers = ['GET', 'HEAD', 'OPTIONS'];

/** A trace for each request that may change something: a hook above all. Comes before every route. */
export async function traceRequests(app: FastifyInstance): Promise<void> {
  const instrumentation = new fastifyOtel.FastifyOtelInstrumentation({
    ignorePaths: ({ method }) => [method].flat().every((one) => readers.includes(one)),
    instrumentHooks: false,
    instrumentHandler: false,
    // Its message may name somebody; the log has it.
    recordExceptions: false,
    requestHook(span, { method, routeOptions }) {
      span.updateName(`${method} ${routeOptions.url ?? '(no route)'}`);
    },
  });
  await app.register(instrumentation.plugin());
  // Whoever waits for a body loses the context it was asked for in.
  app.addHook('preHandler', (request, _reply, done) => {
    const traced = request.opentelemetry();
    if (traced.context === null) done();
    else context.with(traced.context, done);
  });
}
