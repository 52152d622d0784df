import { z } from 'zod';
import { headerSecret } from './schema-parts.js';
import { isLoopback } from './url.js';

const groups = z
  .array(z.string().min(1, 'is empty (write the name or id of a group, or a verified e-mail address)'))
  .default([]);

/** Sign-in to the console and the API by an OpenID Connect provider. */
export const signIn = z
  .strictObject({
    issuer: z
      .string()
      .refine(isIssuer, 'is no issuer (write it as the provider’s discovery document does: https://acme.okta.com)')
      .describe(
        'The provider’s issuer: https://acme.okta.com, https://login.microsoftonline.com/<tenant>/v2.0, https://accounts.google.com',
      ),
    clientId: z
      .string()
      .min(1, 'is empty (write the client id of the app at the provider)')
      .describe('Of the app at the provider'),
    clientSecret: headerSecret.describe('Of the app at the provider'),
    extraScopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'is no scope (write one word)'))
      .default([])
      .describe('Asked for beside openid, profile and email; Okta wants `groups` here'),
    groupsClaim: z
      .string()
      .min(1, 'is empty (write the name of the claim, or leave it out)')
      .default('groups')
      .describe('The claim that lists groups; `roles` for Entra’s app roles'),
    roles: z
      .strictObject({
        viewer: groups.describe('May look'),
        operator: groups.describe('May order, replay, reconcile and stop'),
        approver: groups.describe('May answer held plans and lift stops'),
        admin: groups.describe('May manage tokens and users'),
      })
      .refine(
        (roles) => Object.values(roles).some((list) => list.length > 0),
        'lets nobody in (name at least one group)',
      )
      .describe(
        'Who may do what: groups by the name or id that the claim holds, or verified e-mail addresses; the highest counts',
      ),
  })
  .describe('Sign-in by OpenID Connect');

export type SignInConfig = z.infer<typeof signIn>;

/** https, and nothing that could carry a secret or be read two ways. Plain http to this machine is for tests (relations.ts). */
export function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const extras = [url.username, url.password, url.search, url.hash].join('');
  if (extras !== '' || /[?#@]/.test(text)) return false;
  return url.protocol === 'https:' || isLoopback(text);
}
