import { z } from 'zod';
import type { SendGridClient } from './client.js';
import { SendGridNotFound, SendGridRefused } from './errors.js';

const answer = z.object({ username: z.string().min(1) });

/**
 * Username of the principal behind the key (design.md, small print), who is never touched.
 * @returns null when the key may not read it (403) or nobody answers there (404); anything else is not known
 * @throws errors.ts
 */
export async function ownUsername(client: SendGridClient): Promise<string | null> {
  try {
    return (await client.call({ method: 'GET', path: '/v3/user/username', answer })).username;
  } catch (error) {
    const mayNotBeRead = error instanceof SendGridRefused && error.code === 'SENDGRID_FORBIDDEN';
    if (mayNotBeRead || error instanceof SendGridNotFound) return null;
    throw error;
  }
}
