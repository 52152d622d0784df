import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';

const problem = {
  description: 'A problem document (RFC 9457); `code` is stable',
  content: {
    'application/problem+json': {
      schema: z.toJSONSchema(
        z.object({
          type: z.string(),
          title: z.string(),
          status: z.int(),
          code: z.string(),
          detail: z.string().optional(),
          remedy: z.string().optional(),
          errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
          instance: z.string(),
        }),
      ),
    },
  },
};

const idempotencyKey = {
  in: 'header' as const,
  name: 'Idempotency-Key',
  required: false,
  description: 'A request repeated with the same key within a day is done once',
  schema: { type: 'string' as const, maxLength: 200 },
};

/** OpenAPI from the very schemas that validate. To be called before the routes it is to know. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Sendoff', version: '1', description: 'Everything the console and the command line do.' },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'An API token, or SENDOFF_ADMIN_TOKEN' },
          session: { type: 'apiKey', in: 'cookie', name: '__Host-sendoff' },
        },
      },
      security: [{ token: [] }, { session: [] }],
    },
    transform(route) {
      if (!route.url.startsWith('/api/v1/')) return { schema: { hide: true }, url: route.url };
      const { schema, url } = jsonSchemaTransform(route);
      const access = route.route.config?.access ?? 'admin';
      return { url, schema: { ...schema, description: `Least role: \`${access}\`.` } };
    },
    transformObject(document) {
      if (!('openapiObject' in document)) return document.swaggerObject;
      const { openapiObject } = document;
      for (const [name, path] of Object.entries(openapiObject.paths ?? {})) {
        for (const [method, operation] of Object.entries(path ?? {})) {
          if (typeof operation !== 'object' || !('responses' in operation)) continue;
          operation.responses = { ...operation.responses, default: problem } as typeof operation.responses;
          if (method !== 'get' && !name.endsWith('/search'))
            operation.parameters = [...(operation.parameters ?? []), idempotencyKey];
        }
      }
      return openapiObject;
    },
  });
}
