import { randomUUID } from 'node:crypto';
import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import helmet from '@fastify/helmet';
import fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Signer } from '#shared/audit/signing-key.js';
import type { Config } from '#shared/config/schema.js';
import type { Policy } from '#shared/lifecycle/types.js';
import type { JobQueue } from '#shared/queue/queue.js';
import type { Db } from '#shared/store/database.js';
import type { Intake } from '#shared/store/intake.js';
import type { Log } from '#shared/telemetry/log.js';
import type { Metrics } from '#shared/telemetry/metrics.js';
import { type IntakeCounts, registerHooks } from '../receive.js';
import type { Source } from '../source.js';
import { guardRoutes } from './access.js';
import { registerApi } from './api/index.js';
import { registerConsole } from './console.js';
import { failureHandler } from './failures.js';
import { createIdentityProvider } from './identity-provider.js';
import { registerMcp } from './mcp.js';
import { registerOps } from './ops.js';
import { pageStyleHash } from './pages.js';
import { sendProblem } from './problem.js';
import { registerQueues } from './queues.js';
import { refuseRepeatedHeaders } from './repeated-headers.js';
import { registerSignIn } from './sign-in.js';

/** design.md, small print "Body limit". */
const bodyLimit = 1024 * 1024;

export interface ServerOptions {
  db: Db;
  intake: Intake;
  queue: JobQueue;
  metrics: Metrics;
  counts: IntakeCounts;
  sources: Source[];
  /** null: nobody can sign in. */
  adminToken: string | null;
  config: Config;
  policy: Policy;
  /** Signs audit exports; null: they end with a checkpoint that a worker signed. */
  signer: Signer | null;
  /** Known secret values out of a text. */
  scrub(text: string): string;
  log: Log;
  /** Something was stored: see queue/relay.ts. */
  nudge(): void;
  isStopping(): boolean;
  /** Where the built console lies; null: `/` is a plain page. */
  consoleDir: string | null;
  /** Makes a trace of each request that may change something. */
  traced: boolean;
  /** Proxies in front whose X-Forwarded headers count: 1 on a platform's router, 0 on a bare machine. */
  trustedProxies: number;
}

/** Builds the web server without listening. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit,
    trustProxy: (_address, hop) => hop < options.trustedProxies,
    genReqId: () => randomUUID(),
    requestTimeout: 15_000,
    connectionTimeout: 20_000,
    keepAliveTimeout: 5_000,
    maxRequestsPerSocket: 10_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 2_000 },
  });
  if (options.traced) await (await import('./traces.js')).traceRequests(app);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, { status: 404, code: 'NOT_FOUND' }));
  app.setErrorHandler(failureHandler(options.log, options.scrub));

  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        // The dashboard sets style attributes; the pages' one style sheet is named by its hash.
        styleSrc: ["'self'", pageStyleHash],
        styleSrcAttr: ["'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
    referrerPolicy: { policy: 'no-referrer' },
  });
  await app.register(cookie);
  await app.register(formbody, { bodyLimit: 4_096 });

  refuseRepeatedHeaders(app);
  const { db, adminToken, config } = options;
  const signIn = config.signIn ?? null;
  const provider =
    signIn === null || config.publicUrl === undefined ? null : createIdentityProvider(signIn, config.publicUrl);
  guardRoutes(app, { db, adminToken, signIn });
  registerHooks(app, options);
  const sendConsole = options.consoleDir === null ? null : registerConsole(app, options.consoleDir);
  registerSignIn(app, { db, adminToken, signIn, provider, sendConsole, log: options.log });
  registerOps(app, options);
  registerQueues(app, options);
  await registerApi(app, options);
  registerMcp(app, options);
  // Whoever may not ask is not told what is there.
  for (const prefix of ['/api', '/mcp']) {
    app.all(`${prefix}*`, { config: { access: 'viewer' }, schema: { hide: true } }, async (_request, reply) =>
      sendProblem(reply, { status: 404, code: 'NOT_FOUND' }),
    );
  }
  return app;
}
