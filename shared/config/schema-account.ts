import { z } from 'zod';
import { headerSecret } from './schema-parts.js';
import { isLoopback, isOrigin, isSendGridUrl, originOf, sendGridUrls } from './url.js';

export const account = z
  .strictObject({
    apiKey: headerSecret.describe('A full-access API key of this account, made for Sendoff alone'),
    baseUrl: z
      .string()
      .refine(
        (url) => isSendGridUrl(url) || (isLoopback(url) && isOrigin(url)),
        `is no address of SendGrid (write ${sendGridUrls.join(' or, for the EU, ')})`,
      )
      .default('https://api.sendgrid.com')
      .transform(originOf)
      .describe('Region of the account: https://api.sendgrid.com, EU: https://api.eu.sendgrid.com'),
    mode: z
      .enum(['observe', 'approve', 'enforce'])
      .default('observe')
      .describe('observe: plan and report only; approve: a person releases each plan; enforce: act'),
    sso: z.boolean().default(true).describe('true: provision SSO teammates; false: invitations'),
    identity: z
      .string()
      .refine(
        isTemplate,
        'is no address template (use {email}, {local} and {domain} only, such as "{local}+mkt@{domain}")',
      )
      .default('{email}')
      .describe('The address the identity provider asserts for this account, made of {email}, {local} and {domain}'),
    subusers: z
      .union(
        [z.enum(['all', 'none']), z.array(z.string().min(1, 'is empty (write a subuser’s name)'))],
        'is none of all, none and a list (write all, none, or a list of subuser names)',
      )
      .default('all')
      .describe('Which subusers are swept: all, none, or a list of names'),
  })
  .describe('One SendGrid parent account');

/** Does the template make an address of every person's own? */
function isTemplate(text: string): boolean {
  const filled = text.replaceAll('{email}', 'a@b.c').replaceAll('{local}', 'a').replaceAll('{domain}', 'b.c');
  const personal = text.includes('{email}') || text.includes('{local}');
  return personal && !/[{}]/.test(filled) && /^[^@\s]+@[^@\s]+$/.test(filled);
}
