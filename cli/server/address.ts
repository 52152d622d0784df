import { isLoopback, isOrigin, originOf } from '#shared/config/url.js';
import { SendoffError } from '#shared/errors.js';

/** Where a Sendoff's API is, and what is shown to it. */
export interface ServerAddress {
  /** Scheme, host and port. */
  origin: string;
  token: string;
}

/** @throws SendoffError SERVER_INVALID, TOKEN_MISSING: before anything is sent anywhere */
export function addressOf(server: string, token: string | null): ServerAddress {
  // What was written is not repeated: it may hold a password.
  if (!isOrigin(server)) {
    throw invalid('the server is written as an address without a path, a name or a password in it');
  }
  const origin = originOf(server);
  if (!origin.startsWith('https://') && !isLoopback(origin)) {
    throw invalid(`${origin} would be sent the token unencrypted`);
  }
  if (token === null) {
    throw new SendoffError('SENDOFF_TOKEN is not set: the server asks who you are', {
      code: 'TOKEN_MISSING',
      blame: 'input',
      remedy: 'set it to an API token; an administrator makes one: sendoff tokens create <name> --role operator',
    });
  }
  return { origin, token };
}

function invalid(why: string): SendoffError {
  return new SendoffError(why, {
    code: 'SERVER_INVALID',
    blame: 'input',
    remedy: 'write https://sendoff.acme.com; http:// is for this machine alone, such as http://127.0.0.1:3000',
  });
}
