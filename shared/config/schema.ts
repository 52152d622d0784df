// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the syntax of the file
import { z } from 'zod';
import { duration } from './duration.js';
import { account } from './schema-account.js';
import { notifications } from './schema-notifications.js';
import { offboarding } from './schema-offboarding.js';
import { looksLikeAddress, name } from './schema-parts.js';
import { grant, role } from './schema-role.js';
import { signIn } from './schema-sign-in.js';
import { targets } from './schema-target.js';
import { source } from './sources/index.js';
import { isHttpsOrigin, isLoopback, isOrigin, originOf } from './url.js';

// sendoff.yaml, to the letter of design.md "Fixed: configuration". Unknown keys are errors everywhere. What one key
// says about another is in relations.ts.

const count = (description: string) => z.int().min(0, 'is below 0 (write 0 or more)').describe(description);

const provisioning = z
  .strictObject({
    create: z.boolean().default(false).describe('Give people access when they join a granted group'),
    rescope: z.boolean().default(true).describe('Change access when people change groups'),
    rename: z.boolean().default(true).describe('Names follow the directory, and access moves when an address changes'),
  })
  .describe('What happens to joiners and movers');

const removals = z
  .strictObject({
    floor: count('So many are always allowed').default(3),
    share: z
      .number()
      .min(0, 'is no share (write a number from 0 to 1)')
      .max(1, 'is no share (write a number from 0 to 1)')
      .default(0.05)
      .describe('So many of the account’s teammates, from 0 to 1'),
    max: count('Never more than so many').default(20),
    window: duration({ min: '1s' }).prefault('24h').describe('The rolling window'),
  })
  .describe(
    'People removed or restricted per account and rolling window: min(max, max(floor, share x teammates)); beyond: hold',
  );

const limits = z
  .strictObject({
    removals: removals.prefault({}),
    runShare: z
      .number()
      .min(0, 'is no share (write a number from 0 to 1)')
      .max(1, 'is no share (write a number from 0 to 1)')
      .default(0.2)
      .describe('A reconciliation that would remove more than this share of an account’s people is held whole'),
    admins: count('Full-access people (the owner counts) that must remain in an account; below: hold').default(2),
  })
  .describe('Beyond these a plan is held');

const reconcile = z
  .strictObject({
    every: duration({ min: '1s', max: '7d' })
      .prefault('1h')
      .describe('How often all rosters are compared with the directory'),
    orphans: z
      .enum(['report', 'remove'])
      .default('report')
      .describe('Teammates the directory doesn’t know: report, or remove (through the gate)'),
  })
  .describe('Looking for drift');

const approvals = z
  .strictObject({
    approvers: z
      .array(z.string().min(1, 'is empty (write the name of an operator)'))
      .default([])
      .describe(
        'Who may approve plans; with two or more, nobody approves what they ordered themselves. Empty: anybody',
      ),
    expire: duration({ min: '1m', max: '30d' }).prefault('24h').describe('How long a held plan waits for an answer'),
  })
  .describe('Answers to held plans');

const protectedName = z
  .string()
  .refine(
    (text) => /^\S+$/.test(text) && (!text.includes('@') || looksLikeAddress(text)),
    'is neither an e-mail address nor a username (write it in full)',
  );

const sla = z
  .strictObject({
    deprovision: duration({ min: '1s' }).prefault('15m').describe('From the event to access proven gone'),
  })
  .describe('What is promised');

export const configSchema = z
  .strictObject({
    version: z.literal(1).describe('Version of this file’s format'),
    authority: z
      .union([name, z.array(name).min(1, 'is an empty list (name at least one source)')])
      .transform((value) => [...new Set(typeof value === 'string' ? [value] : value)])
      .describe('The source whose directory is the truth; of several, the first that knows an address owns the person'),
    publicUrl: z
      .string()
      .refine((url) => isHttpsOrigin(url) || (isLoopback(url) && isOrigin(url)), {
        message: 'is no address of this service (write https:// and the host name: https://sendoff.acme.com)',
      })
      .transform(originOf)
      .optional()
      .describe('Where identity providers and people reach this service; `sendoff subscriptions` and `signIn` need it'),
    sources: z
      .record(name, source)
      .refine((all) => Object.keys(all).length > 0, 'names no source (add one; sendoff.example.yaml shows how)')
      .describe('Identity providers, each under a name that is also its hook’s: /hooks/<name>'),
    accounts: z
      .record(name, account)
      .refine((all) => Object.keys(all).length > 0, 'names no account (add one; sendoff.example.yaml shows how)')
      .describe('SendGrid accounts, each under a name'),
    targets: targets.prefault({}),
    roles: z.record(name, role).default({}).describe('Named sets of SendGrid access'),
    grants: z
      .array(grant)
      .default([])
      .describe('Every group a person is in counts; the first matching line per account wins'),
    offboarding: offboarding.prefault({}),
    provisioning: provisioning.prefault({}),
    protect: z
      .array(protectedName)
      .default([])
      .describe('Addresses or usernames that are never touched, whatever happens'),
    limits: limits.prefault({}),
    approvals: approvals.prefault({}),
    reconcile: reconcile.prefault({}),
    sla: sla.prefault({}),
    signIn: signIn.optional(),
    notifications,
  })
  .meta({ title: 'sendoff.yaml', description: 'Configuration of Sendoff. ${NAME} is replaced from the environment.' });

export type Config = z.infer<typeof configSchema>;
export type AccountConfig = Config['accounts'][string];
export type { SourceConfig } from './sources/index.js';
