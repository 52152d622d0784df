import type { FastifyInstance, InjectOptions } from 'fastify';
import pino from 'pino';
import { buildServer } from '#producers/web/server.js';
import type { Role } from '#shared/access/roles.js';
import { generateSigningKey, loadSigningKey } from '#shared/audit/signing-key.js';
import { policyOf } from '#shared/config/policy.js';
import { configSchema } from '#shared/config/schema.js';
import type { JobQueue } from '#shared/queue/queue.js';
import { createToken } from '#shared/store/api-tokens.js';
import type { Db } from '#shared/store/database.js';
import { createIntake } from '#shared/store/intake.js';
import { openSession } from '#shared/store/sessions.js';
import { createMetrics } from '#shared/telemetry/metrics.js';
import { scrubber } from '#shared/telemetry/redact.js';

export const adminToken = 'test-admin-token-0123456789';
export const publicUrl = 'https://sendoff.acme.com';
export const signingKey = loadSigningKey(generateSigningKey());

export interface Console {
  app: FastifyInstance;
  nudged: number;
  /** A bearer token of a role, made at the first use. */
  bearer(role: Role, name?: string): Promise<{ authorization: string }>;
  /** A browser that is signed in. */
  cookie(groups: string[], name?: string): Promise<{ cookie: string; origin: string }>;
  /** Asks as an admin unless told otherwise. */
  ask(
    method: InjectOptions['method'],
    url: string,
    more?: { as?: Role; body?: unknown; headers?: Record<string, string> },
    // biome-ignore lint/suspicious/noExplicitAny: whatever the API answers
  ): Promise<{ status: number; body: any; headers: Record<string, unknown>; text: string }>;
}

/** The web server over a database, without a queue and without listening. */
export async function openConsole(
  db: Db,
  more: Record<string, unknown> = {},
  {
    sendgridUrl = 'http://127.0.0.1:1',
    trustedProxies = 1,
    consoleDir = null,
  }: { sendgridUrl?: string; trustedProxies?: number; consoleDir?: string | null } = {},
): Promise<Console> {
  const config = configSchema.parse({
    version: 1,
    authority: 'okta',
    publicUrl,
    sources: {
      okta: {
        type: 'okta',
        orgUrl: 'http://127.0.0.1:1',
        token: 'okta-secret-token',
        hookSecret: 'hook-secret-0123456789',
      },
    },
    accounts: {
      marketing: { apiKey: 'SG.key-of-marketing', baseUrl: sendgridUrl, mode: 'approve' },
      sales: { apiKey: 'SG.key-of-sales', baseUrl: sendgridUrl },
    },
    roles: { marketer: { persona: 'marketer' } },
    grants: [{ group: 'Marketers', account: 'marketing', role: 'marketer' }],
    ...more,
  });
  const queue = { queues: [], ping: async () => true } as unknown as JobQueue;
  const metrics = createMetrics(db, queue, Object.keys(config.accounts));
  const app = await buildServer({
    db,
    intake: createIntake(db),
    queue,
    metrics,
    counts: { refused: () => undefined, answered: () => undefined },
    sources: [],
    adminToken,
    config,
    policy: policyOf(config),
    signer: signingKey,
    scrub: scrubber(['okta-secret-token']),
    log: pino({ level: 'silent' }),
    nudge: () => {
      console.nudged += 1;
    },
    isStopping: () => false,
    consoleDir,
    traced: false,
    trustedProxies,
  });
  const tokens = new Map<string, string>();
  const console: Console = {
    app,
    nudged: 0,
    async bearer(role, name = `test-${role}`) {
      const token = tokens.get(name) ?? (await createToken(db, { name, role, days: 1, by: 'test' })).token;
      tokens.set(name, token);
      return { authorization: `Bearer ${token}` };
    },
    async cookie(groups, name = 'jane@acme.com') {
      const { id } = await db
        .insertInto('console_user')
        .values({ issuer: 'https://idp', subject: name, name })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ name }))
        .returning('id')
        .executeTakeFirstOrThrow();
      const value = await openSession(db, { actor: `user:${name}`, userId: id, groups, provenAt: null });
      return { cookie: `__Host-sendoff=${value}`, origin: publicUrl };
    },
    async ask(method, url, { as = 'admin', body, headers = {} } = {}) {
      const answer = await app.inject({
        method: method ?? 'GET',
        url,
        headers: {
          ...https,
          ...(headers.cookie === undefined ? await console.bearer(as) : {}),
          ...headers,
        },
        ...(body === undefined ? {} : { payload: body as object }),
      });
      const isJson =
        /json/.test(String(answer.headers['content-type'])) && !/ndjson/.test(String(answer.headers['content-type']));
      return {
        status: answer.statusCode,
        body: isJson ? answer.json() : null,
        headers: answer.headers,
        text: answer.body,
      };
    },
  };
  await app.ready();
  return console;
}

/** As a platform's router forwards it. */
export const https = { 'x-forwarded-proto': 'https', host: 'sendoff.acme.com' };
