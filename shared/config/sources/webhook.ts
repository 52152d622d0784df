import { z } from 'zod';
import { lifecycleEventTypes } from '#shared/lifecycle/types.js';
import type { Finding } from '../finding.js';
import { ids, rotatingSecret } from './parts.js';
import type { SourceKind } from './source-kind.js';

/** The specification asks for 24 to 64 random bytes (idp-events.md §7). */
const fewestBytes = 24;
const publicKeyBytes = 32;

const path = z
  .string()
  .regex(
    /^(?!\$[.[])(\$|([^.[\]]+|\[\d+\])(\[\d+\]|\.[^.[\]]+)*)$/,
    'is no path (write names with dots, and [0] for the first of a list: data.employee.emails[0])',
  );

const mapping = z
  .strictObject({
    items: path
      .optional()
      .describe('Where the list of people stands, if a body is about several; "$" when the body itself is the list'),
    type: path.describe('What happened, such as event.type'),
    email: path.optional().describe('The person’s address, such as data.workEmail; inside an item if there are items'),
    id: path
      .optional()
      .describe('The person’s id in the directory that `ids` names; inside an item if there are items'),
    occurredAt: path.optional().describe('When it happened: ISO 8601, or seconds or milliseconds since 1970'),
    types: z
      .record(z.string().min(1), z.enum(lifecycleEventTypes))
      .refine(
        (types) => Object.keys(types).length > 0,
        'names no type (write theirs and ours: "employee.left": terminated)',
      )
      .describe('Their word for what happened -> ours; every other is ignored'),
  })
  .describe('Where in the body of any system the facts stand; without it Sendoff’s own form is expected');

const schema = z
  .strictObject({
    type: z.literal('webhook').describe('Any system that signs by the Standard Webhooks specification'),
    signingSecret: rotatingSecret
      .refine(
        (secrets) => !secrets.some((secret) => secret.startsWith('whsk_')),
        'is the sender’s private key (keep it there, and give its public one: whpk_…)',
      )
      .refine(
        (secrets) => secrets.every((secret) => secret.startsWith('whsk_') || isSigningSecret(secret)),
        'is no signing secret (copy it whole: whsec_ and base64, or whpk_ and a public Ed25519 key in base64)',
      )
      .describe('What signs: whsec_… (v1) or the sender’s public key whpk_… (v1a); a list of two while rotating'),
    ids,
    mapping: mapping.optional(),
  })
  .describe('Signed webhooks of any system: HRIS, JumpCloud, Ping, Rippling');

export type WebhookSource = z.infer<typeof schema>;
export type WebhookMapping = z.infer<typeof mapping>;

export const webhook: SourceKind<typeof schema> = {
  schema,
  urls: [],
  noDirectory: () =>
    'names a webhook, which tells of changes and has no directory to ask (name a source that has one; a file with a roster will do)',
  subscribes: () => false,
  findings: mappingFindings,
  notices: ({ signingSecret }, at) =>
    signingSecret.some((secret) => secret.startsWith('whsec_') && bytesOf(secret).length < fewestBytes)
      ? [
          `${at}.signingSecret: holds fewer than ${fewestBytes} bytes and can be guessed (have the sender make a longer one)`,
        ]
      : [],
};

/** A mapping by which nobody could ever be told. */
function mappingFindings(source: Record<string, unknown>, at: string[]): Finding[] {
  const { mapping: written, ids: directory } = source;
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return [];
  const { email, id } = written as Record<string, unknown>;
  if (email !== undefined) return [];
  if (id === undefined)
    return [{ path: [...at, 'mapping'], text: 'says of nobody whom it is about (add email, or id together with ids)' }];
  if (directory !== undefined) return [];
  return [
    {
      path: [...at, 'mapping', 'id'],
      text: `means nothing to any directory (add ${at.join('.')}.ids, the source whose ids these are, or email)`,
    },
  ];
}

function isSigningSecret(secret: string): boolean {
  const { kind, text } = /^(?<kind>whsec|whpk)_(?<text>.+)$/.exec(secret)?.groups ?? {};
  if (text === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return false;
  const { length } = bytesOf(secret);
  // What is cut off in the middle is no whole base64.
  if (text.replace(/=+$/, '').length % 4 === 1 || length === 0) return false;
  return kind === 'whsec' ? text.length % 4 === 0 : length === publicKeyBytes;
}

function bytesOf(secret: string): Buffer {
  return Buffer.from(secret.slice(secret.indexOf('_') + 1), 'base64');
}
