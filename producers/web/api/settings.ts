import { z } from 'zod';
import { secretKeys } from '#shared/config/secret-keys.js';
import { runDoctor } from '#shared/operations/doctor.js';
import { streamChecks } from '../../subscriptions.js';
import type { ApiContext, ApiServer } from './context.js';
import { grantMatrix } from './grants.js';
import { at } from './schemas.js';

const mask = '••••••••';
/** However many accounts there are, nobody waits longer; what did not answer is said to be so. */
const doctorMs = 60_000;

const check = z.object({ name: z.string(), ok: z.boolean(), detail: z.string(), remedy: z.string() });
const checked = z.object({ checks: z.array(check), at });

export function settingsRoutes(app: ApiServer, context: ApiContext): void {
  const { config, policy, scrub } = context;

  app.get(
    '/config',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['settings'],
        summary: 'The configuration in force, with its defaults; secrets are masked',
        response: { 200: z.object({ config: z.record(z.string(), z.unknown()) }) },
      },
    },
    async () => ({ config: masked(config, scrub) as Record<string, unknown> }),
  );

  app.get(
    '/grants',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['settings'],
        summary: 'Which group gives which role where',
        response: {
          200: z.object({
            accounts: z.array(z.string()),
            rows: z.array(z.object({ group: z.string(), roles: z.record(z.string(), z.string().nullable()) })),
            roles: z.array(z.looseObject({ name: z.string(), kind: z.string() })),
          }),
        },
      },
    },
    async () => grantMatrix(policy),
  );

  let running: Promise<z.infer<typeof checked>> | null = null;
  app.post(
    '/doctor',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['settings'],
        summary: 'Can every key, directory and scope do what the configuration needs?',
        response: { 200: checked },
      },
    },
    () => {
      // Whoever asks meanwhile gets the same answer: the accounts are asked once.
      running ??= examine(context).finally(() => {
        running = null;
      });
      return running;
    },
  );
}

async function examine({ db, config, outside, scrub }: ApiContext): Promise<z.infer<typeof checked>> {
  const checks = await runDoctor(db, config, outside(), doctorMs, streamChecks(db, config));
  return {
    checks: checks.map((one) => ({ ...one, detail: scrub(one.detail) })),
    at: new Date().toISOString(),
  };
}

/** By the name of the key, and by value: a secret may have come to stand elsewhere. */
function masked(value: unknown, scrub: (text: string) => string, isSecret = false): unknown {
  if (typeof value === 'string') return isSecret ? mask : scrub(value);
  if (Array.isArray(value)) return value.map((one) => masked(one, scrub, isSecret));
  if (typeof value !== 'object' || value === null) return isSecret && value !== null ? mask : value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, masked(inner, scrub, isSecret || secretKeys.has(key))]),
  );
}
