import { z } from 'zod';
import type { Finding } from '../finding.js';
import { headerSecret } from '../schema-parts.js';
import { isHttpsOrigin, isLoopback, isOrigin, originOf } from '../url.js';
import { ids, poll, rotatingSecret, weakSecretNotices } from './parts.js';
import type { SourceKind } from './source-kind.js';

const risc = 'https://schemas.openid.net/secevent/risc/event-type/';
const caep = 'https://schemas.openid.net/secevent/caep/event-type/';

/** What says something about a person's access; the rest would only be ignored. */
const telling = [
  ...[
    'account-disabled',
    'account-enabled',
    'account-purged',
    'identifier-changed',
    'identifier-recycled',
    'account-credential-change-required',
    'credential-compromise',
  ].map((type) => risc + type),
  ...['session-revoked', 'token-claims-change'].map((type) => caep + type),
];

const address = (what: string, example: string) =>
  z
    .string()
    .refine((url) => isHttps(url) || (isLoopback(url) && isOrigin(url)), `is no ${what} (write it whole: ${example})`);

const text = z.string().min(1, 'is empty (write it as the transmitter gives it)');

const schema = z
  .strictObject({
    type: z.literal('ssf').describe('Which identity provider this source is'),
    issuer: address('issuer', 'https://idp.example.com/tenant').describe(
      'The transmitter’s issuer, letter for letter as its tokens say iss, a slash at the end included',
    ),
    audience: z
      .union([text, z.array(text).min(1, 'is an empty list (write the aud of the stream)')])
      .transform((value) => [...new Set(typeof value === 'string' ? [value] : value)])
      .describe('The aud of the stream; a list if it has several: a token for any of them is ours'),
    jwksUri: address('address of keys', 'https://idp.example.com/jwks.json')
      .optional()
      .describe('Where the transmitter’s keys are; needed only when they are not at the issuer’s own host'),
    apiUrl: z
      .string()
      .refine(
        (url) => isHttpsOrigin(url) || (isLoopback(url) && isOrigin(url)),
        'is no address of an API (write https:// and the host name, nothing else: https://risc.example.com)',
      )
      .transform(originOf)
      .optional()
      .describe('Host of the transmitter’s management API; needed only when it is not the issuer’s own'),
    token: headerSecret.optional().describe('Bearer token for the management API; or use clientId and clientSecret'),
    clientId: headerSecret.optional().describe('OAuth client for the management API, instead of a token'),
    clientSecret: headerSecret.optional().describe('The OAuth client’s secret'),
    tokenUrl: address('token endpoint', 'https://idp.example.com/oauth2/token')
      .optional()
      .describe('Where the OAuth client gets its tokens (client credentials, scopes ssf.manage and ssf.read)'),
    delivery: z
      .enum(['push', 'poll'])
      .default('push')
      .describe('push: the transmitter sends to /hooks/<name>; poll: it is asked'),
    pushToken: rotatingSecret
      .optional()
      .describe('Bearer token that the transmitter must send along with a push; a list of two while rotating'),
    events: z
      .array(z.string().refine((type) => URL.canParse(type), 'is no event type (write its whole URI)'))
      .min(1, 'is an empty list (leave it out: the default is what says something about access)')
      .default(telling)
      .describe('Event types that are asked for; others are ignored'),
    ids,
    tenant: text
      .optional()
      .describe('Our tenant at the transmitter, when its subjects name one: what concerns another is ignored'),
    poll: poll.prefault('60s').describe('With delivery: poll, how often the transmitter is asked, at least 1s'),
  })
  .describe('One transmitter of OpenID Shared Signals (RISC, CAEP)');

export type SsfSource = z.infer<typeof schema>;

export const ssf: SourceKind<typeof schema> = {
  schema,
  urls: ['issuer', 'jwksUri', 'apiUrl', 'tokenUrl'],
  noDirectory: () => 'only sends signals and has no directory (name the source whose directory is the truth)',
  subscribes: ({ token, clientId }) => token !== undefined || clientId !== undefined,
  findings: (source, path) => [...credentialFindings(source, path), ...deliveryFindings(source, path)],
  notices: ({ pushToken = [] }, path) => weakSecretNotices(pushToken, `${path}.pushToken`),
};

const clientKeys = ['clientId', 'clientSecret', 'tokenUrl'];

/** token, or all three of the client, or nothing: then the stream is made by hand. */
function credentialFindings(source: Record<string, unknown>, path: string[]): Finding[] {
  const has = (key: string) => source[key] !== undefined;
  const given = clientKeys.filter(has);
  if (has('token')) {
    return given.map((key) => ({
      path: [...path, key],
      text: `does not go with token (keep either token, or ${clientKeys.join(', ')})`,
    }));
  }
  if (given.length === 0) return [];
  return clientKeys
    .filter((key) => !has(key))
    .map((key) => ({
      path: [...path, key],
      text: `is missing (add it under ${path.join('.')}: ${clientKeys.join(', ')} go together)`,
    }));
}

function deliveryFindings(source: Record<string, unknown>, path: string[]): Finding[] {
  if (source.delivery !== 'poll') return [];
  const findings: Finding[] = [];
  if (source.poll === 'off') {
    findings.push({
      path: [...path, 'poll'],
      text: 'does not go with delivery: poll: nothing would ever arrive (write a duration such as 60s)',
    });
  }
  if (source.token === undefined && source.clientId === undefined) {
    findings.push({ path, text: `has no credentials to poll with (add token, or ${clientKeys.join(', ')})` });
  }
  return findings;
}

function isHttps(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return protocol === 'https:' && username === '' && password === '' && !/[#@\s]/.test(text);
}
