import { z } from 'zod';
import type { Finding } from '../finding.js';
import { headerSecret, textSecret } from '../schema-parts.js';
import { isHttpsOrigin, isLoopback, isOrigin, originOf } from '../url.js';
import { poll, rotatingSecret, weakSecretNotices, withLineBreaks } from './parts.js';
import type { SourceKind } from './source-kind.js';

const schema = z
  .strictObject({
    type: z.literal('okta').describe('Which identity provider this source is'),
    orgUrl: z
      .string()
      .refine(
        (url) => isHttpsOrigin(url) || (isLoopback(url) && isOrigin(url)),
        'is no Okta org (write https:// and the host name, nothing else: https://acme.okta.com)',
      )
      .refine(
        (url) => !/-admin\.okta(-emea|preview|-gov)?\.(com|mil)/i.test(url),
        'is the address of the admin console (leave out -admin)',
      )
      .transform(originOf)
      .describe('The Okta org, such as https://acme.okta.com'),
    token: headerSecret.optional().describe('API token of a read-only administrator; or use clientId and privateKey'),
    clientId: headerSecret
      .optional()
      .describe('OAuth service app (private_key_jwt), together with privateKey, instead of a token'),
    privateKey: textSecret
      .transform(withLineBreaks)
      .optional()
      .describe('Private key of the service app: PEM (literal \\n accepted) or JWK'),
    keyId: headerSecret.optional().describe('The key’s id (kid), when the app has several keys'),
    hookSecret: rotatingSecret.describe(
      'What the Authorization header of a hook must hold, letter for letter; a list of two while rotating',
    ),
    app: z
      .string()
      .regex(/^[A-Za-z0-9_-]+$/, 'is no app id (copy it from the app’s page in Okta: 0oa…)')
      .optional()
      .describe('Id of the SendGrid app in Okta: without assignment there, no access here'),
    poll: poll
      .prefault('60s')
      .describe('How often the System Log is asked for what no hook delivered, at least 1s; "off" to disable'),
  })
  .describe('One Okta org');

export type OktaSource = z.infer<typeof schema>;

export const okta: SourceKind<typeof schema> = {
  schema,
  urls: ['orgUrl'],
  noDirectory: () => null,
  subscribes: () => true,
  findings: credentialFindings,
  notices: ({ hookSecret }, path) => weakSecretNotices(hookSecret, `${path}.hookSecret`),
};

/** token, or clientId and privateKey with or without keyId: exactly one of the two. */
function credentialFindings(source: Record<string, unknown>, path: string[]): Finding[] {
  const has = (key: string) => source[key] !== undefined;
  if (has('token')) {
    return ['clientId', 'privateKey', 'keyId'].filter(has).map((key) => ({
      path: [...path, key],
      text: 'does not go with token (keep either token, or clientId and privateKey)',
    }));
  }
  const missing = ['clientId', 'privateKey'].filter((key) => !has(key));
  if (missing.length === 2) return [{ path, text: 'has no credentials (add token, or clientId and privateKey)' }];
  return missing.map((key) => ({
    path: [...path, key],
    text: `is missing (add it under ${path.join('.')}: clientId and privateKey go together)`,
  }));
}
