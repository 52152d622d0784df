import { SendoffError } from '#shared/errors.js';
import type { SendGridClient } from './client.js';

/**
 * The same client acting inside a subuser (sendgrid.md §7): every call carries `on-behalf-of`, every error names the
 * subuser. Not every endpoint is said to heed that header (§2): verified senders may still be the parent's.
 * @param username the subuser's; errors.ts SENDGRID_NAME_INVALID on each call when no header can hold it
 */
export function inSubuser(client: SendGridClient, username: string): SendGridClient {
  return {
    account: client.account,
    keyId: client.keyId,
    async call(call) {
      try {
        return await client.call({ ...call, subuser: username });
      } catch (error) {
        if (error instanceof SendoffError) nameSubuser(error, client.account, username);
        throw error;
      }
    },
    // It has no connections of its own.
    close: async () => undefined,
  };
}

function nameSubuser(error: SendoffError, account: string, username: string): void {
  const where = `SendGrid ${account}`;
  const rest = error.message.startsWith(`${where}:`) ? error.message.slice(where.length) : `: ${error.message}`;
  error.message = `${where}, subuser ${JSON.stringify(username)}${rest}`;
  error.facts.subuser = username;
}
