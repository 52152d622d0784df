import { z } from 'zod';
import { headerSecret } from '../schema-parts.js';
import { isHttpsOrigin, isLoopback, isOrigin, originOf } from '../url.js';
import { poll, rotatingSecret, weakSecretNotices } from './parts.js';
import type { SourceKind } from './source-kind.js';

const noAppId = 'is no app id (copy the number from the app’s address in the admin portal: …/apps/123456/edit)';

const schema = z
  .strictObject({
    type: z.literal('onelogin').describe('Which identity provider this source is'),
    baseUrl: z
      .string()
      .refine(
        (url) => isHttpsOrigin(url) || (isLoopback(url) && isOrigin(url)),
        'is no OneLogin account (write https:// and the host name, nothing else: https://acme.onelogin.com)',
      )
      .refine(
        (url) => !/\/\/(api\.(us|eu)|app|developers|www)\.onelogin\.com/i.test(url),
        'is an address that all customers of OneLogin share (write your own: https://acme.onelogin.com)',
      )
      .transform(originOf)
      .describe('The OneLogin account, such as https://acme.onelogin.com'),
    clientId: headerSecret.describe('Client id of the API credentials, best made by a service user'),
    clientSecret: headerSecret.describe('Client secret of the API credentials'),
    hookSecret: rotatingSecret.describe(
      'What the Authorization header of the webhook must hold, letter for letter; a list of two while rotating',
    ),
    app: z
      .union([z.string().regex(/^\d+$/, noAppId), z.int().positive().transform(String)], noAppId)
      .optional()
      .describe('Id of the SendGrid app in OneLogin: without assignment there, no access here'),
    groupsFrom: z
      .enum(['roles', 'group', 'both'], 'is no such choice (write roles, group or both)')
      .default('roles')
      .describe('What the groups of `grants` are here: roles (default), the one group of a user, or both'),
    poll: poll
      .prefault('60s')
      .describe('How often the Events API is asked for what no webhook delivered, at least 1s; "off" to disable'),
  })
  .describe('One OneLogin account');

export type OneLoginSource = z.infer<typeof schema>;

export const onelogin: SourceKind<typeof schema> = {
  schema,
  urls: ['baseUrl'],
  noDirectory: () => null,
  subscribes: () => false,
  findings: () => [],
  notices: ({ hookSecret }, path) => weakSecretNotices(hookSecret, `${path}.hookSecret`),
};
