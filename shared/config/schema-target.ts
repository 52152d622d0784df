import { z } from 'zod';
import { isTwilioUrl, plainUrl, scimUrl, tokenUrl } from '#shared/twilio/url.js';
import { headerSecret } from './schema-parts.js';

const twilioUrl = (usual: string, description: string) =>
  z
    .string()
    .refine(isTwilioUrl, `is no address of Twilio (write ${usual})`)
    .default(usual)
    .transform(plainUrl)
    .describe(description);

const twilio = z
  .strictObject({
    clientId: headerSecret.describe('Id of an OAuth app of the Twilio Organization, made for Sendoff alone'),
    clientSecret: headerSecret.describe('Secret of that app'),
    refreshToken: headerSecret
      .optional()
      .describe('Refresh token of an app that an Organization admin has authorised; without it, client credentials'),
    baseUrl: twilioUrl(scimUrl, `The Organization’s SCIM API: ${scimUrl}`),
    tokenUrl: twilioUrl(tokenUrl, `Where the app gets its tokens: ${tokenUrl}`),
    mode: z
      .enum(['observe', 'approve', 'enforce'])
      .default('observe')
      .describe('observe: plan and report only; approve: a person releases each plan; enforce: act'),
    action: z
      .literal('deactivate')
      .default('deactivate')
      .describe('What happens to a leaver’s Twilio user; deactivate: they can no longer sign in to Twilio'),
  })
  .describe('The Twilio Organization whose users sign in to SendGrid with Twilio’s login');

export const targets = z
  .strictObject({ twilio: twilio.optional() })
  .describe('Where else a leaver’s access ends, besides the SendGrid accounts');
