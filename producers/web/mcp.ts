import { isIP } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { McpContext } from '#shared/mcp/tool.js';
import { type Problem, sendProblem } from './problem.js';

/** A call holds a few short fields. */
const bodyLimit = 64 * 1024;

/** JSON-RPC's own number. */
const invalidRequest = -32_600;

/** Of a request, what the protocol reads; the rest, credentials above all, stays here. */
const readHeaders = ['accept', 'content-type', 'mcp-protocol-version'] as const;

/**
 * MCP over streamable HTTP, without sessions: each request is answered by itself, as JSON, by whichever process it
 * reaches. Who asks, and in which role, `guardRoutes` has found out as for any route.
 */
export function registerMcp(app: FastifyInstance, context: McpContext): void {
  let loaded: ReturnType<typeof loadMcp> | null = null;
  app.register(async (scope) => {
    // The transport reads the body itself: what is not as it must be is answered in the protocol's own words.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit }, (_request, body, done) => done(null, body));
    scope.addHook('onRequest', async (request, reply) => {
      const refusal = foreign(request, context.config.publicUrl);
      if (refusal !== null) return sendProblem(reply, refusal);
    });
    const config = { access: 'viewer' as const };
    scope.post('/mcp', { config, bodyLimit, schema: { hide: true } }, async (request, reply) => {
      loaded ??= loadMcp(context);
      return answer(await loaded, request, reply);
    });
    for (const method of ['GET', 'DELETE'] as const) {
      // No stream to listen to, and no session to end.
      scope.route({
        method,
        url: '/mcp',
        config,
        schema: { hide: true },
        handler: async (_request, reply) => sendError(reply.header('allow', 'POST'), 405, -32_000, 'POST only'),
      });
    }
  });
}

/** The protocol's code is loaded when somebody first speaks it: it is a fifth of what a web process takes to start. */
async function loadMcp(context: McpContext) {
  const [{ mcpServers }, { WebStandardStreamableHTTPServerTransport: Transport }] = await Promise.all([
    import('#shared/mcp/server.js'),
    import('@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'),
  ]);
  return { serverFor: mcpServers(context), Transport };
}

async function answer(
  { serverFor, Transport }: Awaited<ReturnType<typeof loadMcp>>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { caller } = request;
  if (caller === null) throw new Error('/mcp is open to everybody: nobody acts there');
  const body = typeof request.body === 'string' ? request.body : '';
  // Current clients send none; one of its calls that is cancelled beside it would never be answered.
  if (body.trimStart().startsWith('[')) return sendError(reply, 400, invalidRequest, 'batches are not taken');
  const { server } = serverFor({ actor: caller.actor, role: caller.role, via: 'http' });
  const transport = new Transport({ enableJsonResponse: true });
  try {
    await server.connect(transport);
    const response = await transport.handleRequest(
      new Request('http://sendoff/mcp', { method: 'POST', headers: headersOf(request), body }),
    );
    return await reply
      .code(response.status)
      .headers(Object.fromEntries(response.headers))
      .send(await response.text());
  } finally {
    await server.close();
  }
}

function headersOf({ headers }: FastifyRequest): Record<string, string> {
  return Object.fromEntries(
    readHeaders.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}

function sendError(reply: FastifyReply, status: number, code: number, message: string): FastifyReply {
  return reply.code(status).send({ jsonrpc: '2.0', error: { code, message }, id: null });
}

/**
 * A page in somebody's browser must not reach an MCP server under a name of its own (DNS rebinding), nor from another
 * site. Addresses can't be rebound; a name must be the one that the operator gave. null: it is no such page.
 */
function foreign(request: FastifyRequest, publicUrl: string | undefined): Problem | null {
  const ours = publicUrl === undefined ? null : new URL(publicUrl);
  const { origin } = request.headers;
  const name = request.hostname.replace(/^\[|\]$/g, '');
  if (name !== 'localhost' && isIP(name) === 0 && name !== ours?.hostname) {
    return {
      status: 403,
      code: 'HOST_UNKNOWN',
      detail: 'this server is not known by the name that it was asked under',
      remedy: 'put the address that clients use into publicUrl in sendoff.yaml',
    };
  }
  if (origin === undefined || origin === ours?.origin) return null;
  if (URL.canParse(origin) && new URL(origin).host === request.host) return null;
  return { status: 403, code: 'CROSS_SITE', detail: 'this request came from another site', remedy: 'send no Origin' };
}
