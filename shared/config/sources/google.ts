import { z } from 'zod';
import { looksLikeAddress, textSecret } from '../schema-parts.js';
import { isHttpsOrigin, isLoopback, isOrigin, originOf } from '../url.js';
import { poll, rotatingSecret, weakSecretNotices, withLineBreaks } from './parts.js';
import type { SourceKind } from './source-kind.js';

const apiUrl = 'https://admin.googleapis.com';
const authUrl = 'https://oauth2.googleapis.com';
/** Google takes no longer token for a channel. */
const longestToken = 256;

/** One of Google's own, or this machine for tests: a service account's token goes nowhere else. */
const origin = (googles: string) =>
  z
    .string()
    .refine(
      (url) => (isHttpsOrigin(url) && originOf(url) === googles) || (isLoopback(url) && isOrigin(url)),
      `is not Google’s (leave it out: it is ${googles})`,
    )
    .transform(originOf);

const address = z.string().refine(looksLikeAddress, 'is no e-mail address');

const schema = z
  .strictObject({
    type: z.literal('google').describe('Which identity provider this source is'),
    customer: z
      .string()
      .regex(/^(my_customer|C[0-9A-Za-z]+)$/, 'is no customer id (leave it out, or write C… as in Account settings)')
      .prefault('my_customer')
      .describe('The Google Workspace customer; without it, the one that the administrator belongs to'),
    domain: z
      .string()
      .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i, 'is no domain (write it as acme.com)')
      .transform((domain) => domain.toLowerCase())
      .optional()
      .describe('Only the people of this domain, for a customer that has several'),
    clientEmail: address.describe('The service account: client_email of its key file'),
    privateKey: textSecret
      .transform(withLineBreaks)
      .refine(
        (key) => key.startsWith('-----BEGIN'),
        'is no private key (copy private_key of the service account’s key file: -----BEGIN PRIVATE KEY----- …)',
      )
      .describe('The service account’s key: private_key of its key file (literal \\n accepted)'),
    subject: address.describe('The administrator whom the service account impersonates'),
    channelToken: rotatingSecret
      .refine(
        (tokens) => tokens.every((token) => token.length <= longestToken),
        `is longer than ${longestToken} characters, which Google takes no channel with (choose a shorter one)`,
      )
      .describe(
        'What X-Goog-Channel-Token must hold, letter for letter; a list of two while rotating, the new one first',
      ),
    suspendedByGoogle: z
      .enum(['suspended', 'ignore'], 'is unknown (write suspended or ignore)')
      .prefault('suspended')
      .describe('What a suspension means that Google and no administrator made: suspended, or ignore it'),
    archived: z
      .enum(['terminated', 'suspended'], 'is unknown (write terminated or suspended)')
      .prefault('terminated')
      .describe('What an archived account means: that the person left, or that they are suspended'),
    poll: poll
      .prefault('5m')
      .describe('How often the audit log is asked for what no channel delivered, at least 1s; "off" to disable'),
    baseUrl: origin(apiUrl).prefault(apiUrl).describe('For tests: where the Admin SDK is'),
    tokenUrl: origin(authUrl).prefault(authUrl).describe('For tests: where tokens are given out, without the path'),
  })
  .describe('One Google Workspace customer');

export type GoogleSource = z.infer<typeof schema>;

export const google: SourceKind<typeof schema> = {
  schema,
  urls: ['baseUrl', 'tokenUrl'],
  noDirectory: () => null,
  subscribes: () => true,
  findings: () => [],
  notices: ({ channelToken }, path) => weakSecretNotices(channelToken, `${path}.channelToken`),
};
