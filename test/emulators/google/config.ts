import type { GoogleSource } from '#shared/config/sources/google.js';
import type { GoogleEmulator } from './index.js';

export const channelToken = 'channel-token-0123456789abcdef';
export const subject = 'admin@acme.com';

/** A source's configuration that asks the emulator, as a test reads it from a file. */
export function googleConfig(google: GoogleEmulator, more: Partial<GoogleSource> = {}): GoogleSource {
  return {
    type: 'google',
    customer: 'my_customer',
    ...google.tokens.account,
    subject,
    channelToken: [channelToken],
    suspendedByGoogle: 'suspended',
    archived: 'terminated',
    poll: 300_000,
    baseUrl: google.url,
    tokenUrl: google.url,
    ...more,
  };
}
