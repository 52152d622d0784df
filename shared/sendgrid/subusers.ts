import { z } from 'zod';
import { walkUnlessAbsent } from './absence.js';
import type { SendGridClient } from './client.js';

const item = z.object({
  id: z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)]),
  username: z.string().min(1),
  email: z.string().nullish(),
  disabled: z.boolean().nullish(),
});
const list = z.array(item);

/** A tenant inside a parent account, with teammates, keys and senders of its own (sendgrid.md §7). */
export interface Subuser {
  id: number;
  username: string;
  /** The contact, who may be a person; empty when SendGrid gives none. */
  email: string;
  /** Cut off from sending and signing in; who is inside stays there. */
  disabled: boolean;
}

/**
 * Every subuser of the parent account, disabled ones included (sendgrid.md §7). An account whose plan has none answers
 * 404: none.
 * @throws errors.ts; never returns part of the list
 */
export async function listSubusers(client: SendGridClient): Promise<Subuser[]> {
  const all = await walkUnlessAbsent<z.infer<typeof item>>(
    `SendGrid ${client.account}: GET /v3/subusers`,
    (query) => client.call({ method: 'GET', path: '/v3/subusers', query, answer: list }),
    ({ username }) => username,
  );
  return all.map(({ id, username, email, disabled }) => ({
    id,
    username,
    email: email ?? '',
    disabled: disabled === true,
  }));
}
