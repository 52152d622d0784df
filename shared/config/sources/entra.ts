import { z } from 'zod';
import type { Finding } from '../finding.js';
import { headerSecret, textSecret } from '../schema-parts.js';
import { isOrigin, originOf } from '../url.js';
import { poll, rotatingSecret, weakSecretNotices, withLineBreaks } from './parts.js';
import type { SourceKind } from './source-kind.js';

/** Each Graph signs people in at the authority of its own cloud. */
const authorityOf: Record<string, string> = {
  'https://graph.microsoft.com': 'https://login.microsoftonline.com',
  'https://graph.microsoft.us': 'https://login.microsoftonline.us',
  'https://dod-graph.microsoft.us': 'https://login.microsoftonline.us',
  'https://microsoftgraph.chinacloudapi.cn': 'https://login.chinacloudapi.cn',
};
const [publicGraph = ''] = Object.keys(authorityOf);

/** The subscription page of Graph says 128, the notification page 255. */
const longestClientState = 127;

const guid = (what: string, where: string) =>
  z
    .string()
    .regex(
      /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
      `is no ${what} (copy it from ${where}: 00000000-0000-0000-0000-000000000000)`,
    )
    .transform((id) => id.toLowerCase());

const schema = z
  .strictObject({
    type: z.literal('entra').describe('Which identity provider this source is'),
    tenantId: guid('tenant id', 'the app registration’s overview, Directory (tenant) ID').describe(
      'Directory (tenant) ID, not a domain: notifications carry it',
    ),
    clientId: guid('client id', 'the app registration’s overview, Application (client) ID').describe(
      'Application (client) ID of the app registration',
    ),
    clientSecret: headerSecret
      .optional()
      .describe('Client secret (its value, not its id); or use privateKey and certificate'),
    privateKey: textSecret
      .transform(withLineBreaks)
      .optional()
      .describe('Private key of the certificate: PEM, unencrypted (literal \\n accepted)'),
    certificate: z
      .string()
      .transform(withLineBreaks)
      .refine(
        (text) => /-----BEGIN CERTIFICATE-----/.test(text) && !/PRIVATE KEY/.test(text),
        'is no certificate (write the PEM that was uploaded to the app registration, without its key)',
      )
      .optional()
      .describe('The certificate uploaded to the app registration: PEM (literal \\n accepted)'),
    clientState: rotatingSecret
      .refine(
        (states) => states.every((state) => state.length <= longestClientState),
        `is longer than ${longestClientState} characters, which Graph refuses (make one: openssl rand -hex 24)`,
      )
      .describe('Secret that every notification carries; a list of two, the new one first, while rotating'),
    app: guid('service principal', 'the enterprise application’s overview, Object ID')
      .optional()
      .describe('Object ID of the SendGrid enterprise application: without assignment there, no access here'),
    disabled: z
      .enum(['suspended', 'terminated'], 'is neither suspended nor terminated (write one of them)')
      .default('suspended')
      .describe('What a blocked sign-in (accountEnabled: false) means'),
    poll: poll
      .prefault('5m')
      .describe('How often the delta queries ask for what no notification brought, at least 1s; "off" to disable'),
    graphUrl: z
      .string()
      .refine(
        (url) => Object.hasOwn(authorityOf, originOf(url)) || isHttpsLoopback(url),
        `is no Microsoft Graph (write one of ${Object.keys(authorityOf).join(', ')}; plain http never carries a token)`,
      )
      .transform(originOf)
      .prefault(publicGraph)
      .describe('Microsoft Graph of your cloud'),
    authorityHost: z
      .string()
      .refine(
        (url) => Object.values(authorityOf).includes(originOf(url)) || isHttpsLoopback(url),
        `is no sign-in host of Microsoft (leave it out, or write one of ${[...new Set(Object.values(authorityOf))].join(', ')})`,
      )
      .transform(originOf)
      .optional()
      .describe('Where tokens come from; by default that of the cloud of graphUrl'),
  })
  .describe('One Microsoft Entra tenant');

export type EntraSource = z.infer<typeof schema>;

export const entra: SourceKind<typeof schema> = {
  schema,
  // Plain http is refused altogether.
  urls: [],
  noDirectory: () => null,
  subscribes: () => true,
  findings: (source, path) => [...credentialFindings(source, path), ...cloudFindings(source, path)],
  notices: ({ clientState }, path) => weakSecretNotices(clientState, `${path}.clientState`),
};

export function authorityHostOf({ authorityHost, graphUrl }: EntraSource): string {
  return authorityHost ?? authorityOf[graphUrl] ?? graphUrl;
}

/** An emulator of Graph and its authority on this machine, by https, because Graph's client sends no token otherwise. */
export function isHttpsLoopback(text: string): boolean {
  const { protocol, hostname } = URL.canParse(text) ? new URL(text) : { protocol: '', hostname: '' };
  return protocol === 'https:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname) && isOrigin(text);
}

/** clientSecret, or privateKey and certificate: exactly one of the two. */
function credentialFindings(source: Record<string, unknown>, path: string[]): Finding[] {
  const has = (key: string) => source[key] !== undefined;
  if (has('clientSecret')) {
    return ['privateKey', 'certificate'].filter(has).map((key) => ({
      path: [...path, key],
      text: 'does not go with clientSecret (keep either clientSecret, or privateKey and certificate)',
    }));
  }
  const missing = ['privateKey', 'certificate'].filter((key) => !has(key));
  if (missing.length === 2) {
    return [{ path, text: 'has no credentials (add clientSecret, or privateKey and certificate)' }];
  }
  return missing.map((key) => ({
    path: [...path, key],
    text: `is missing (add it under ${path.join('.')}: privateKey and certificate go together)`,
  }));
}

/** A token of one cloud is worth nothing in another. */
function cloudFindings({ graphUrl = publicGraph, authorityHost }: Record<string, unknown>, path: string[]): Finding[] {
  if (typeof graphUrl !== 'string' || typeof authorityHost !== 'string') return [];
  const wanted = authorityOf[originOf(graphUrl)];
  const given = originOf(authorityHost);
  if (wanted === undefined || wanted === given || !Object.values(authorityOf).includes(given)) return [];
  return [
    {
      path: [...path, 'authorityHost'],
      text: `is of another cloud than graphUrl (leave it out, or write ${wanted})`,
    },
  ];
}
