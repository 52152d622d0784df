import { isLoopback } from '#shared/config/url.js';

export const scimUrl = 'https://iam.twilio.com/scim/v2';
export const tokenUrl = 'https://oauth.twilio.com/v2/token';

/**
 * An https address of Twilio's: no secret is ever sent anywhere else. Plain http to this machine is for tests, and only
 * under SENDOFF_ENV=test (relations.ts sees to it).
 */
export function isTwilioUrl(text: string): boolean {
  if (!URL.canParse(text) || /[?#@\s]/.test(text)) return false;
  const { protocol, hostname, port } = new URL(text);
  return isLoopback(text) || (protocol === 'https:' && port === '' && /(^|\.)twilio\.com$/.test(hostname));
}

/** `https://IAM.twilio.com/scim/v2/` becomes `https://iam.twilio.com/scim/v2`. */
export function plainUrl(text: string): string {
  return URL.canParse(text) ? new URL(text).href.replace(/\/+$/, '') : text;
}
