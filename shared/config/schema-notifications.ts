import { z } from 'zod';
import { alertKinds } from '#shared/alerts/alert.js';
import { duration } from './duration.js';
import { headerSecret, looksLikeAddress, name } from './schema-parts.js';
import { isLoopback } from './url.js';

const url = z
  .string()
  .refine(
    (text) => URL.canParse(text) && (new URL(text).protocol === 'https:' || isLoopback(text)),
    'is no https address (copy it in full)',
  );
const address = z.string().refine(looksLikeAddress, 'is no e-mail address (write it in full)');

const common = {
  on: z
    .array(z.enum(alertKinds))
    .min(1, 'is an empty list (name at least one kind, or remove the key for all)')
    .default([...alertKinds])
    .describe(`What it is told of: ${alertKinds.join(', ')}`),
  digest: duration({ max: '24h' })
    .prefault('5m')
    .describe('At most one message in this time; what comes meanwhile is in the next one'),
};

const channel = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      type: z.literal('slack').describe('A Slack channel'),
      token: url.describe('The incoming webhook’s address, which is a secret: https://hooks.slack.com/services/…'),
      ...common,
    }),
    z.strictObject({
      type: z.literal('webhook').describe('Any service that takes signed webhooks'),
      url: url.describe('Where to POST to'),
      signingSecret: headerSecret
        .refine(
          (text) => /^whsec_[A-Za-z0-9+/=]{32,}$/.test(text),
          'is no signing secret (whsec_ and 24 to 64 bytes in base64)',
        )
        .describe('Signs each message by the Standard Webhooks specification'),
      ...common,
    }),
    z.strictObject({
      type: z.literal('email').describe('People, by e-mail through SendGrid'),
      account: name.describe('The SendGrid account that sends it; its key needs mail.send'),
      from: address.describe('A verified sender of that account'),
      to: z.array(address).min(1, 'is an empty list (name at least one address)').describe('Who gets it'),
      ...common,
    }),
  ],
  {
    error: ({ code }) =>
      code === 'invalid_union' ? 'is none of slack, webhook, email (write one of them)' : undefined,
  },
);

export const notifications = z
  .record(name, channel)
  .default({})
  .describe('Who is told when something needs a human; `sendoff alerts test` tries it');

export type ChannelConfig = z.infer<typeof channel>;
