// For `node --import`: whatever loads OpenTelemetry, but for its empty API, fails.
import { register } from 'node:module';

const hooks = `export async function resolve(specifier, context, next) {
  if (/^(@opentelemetry\\/(?!api$)|@fastify\\/otel|bullmq-otel)/.test(specifier)) throw new Error('loads ' + specifier);
  return next(specifier, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
