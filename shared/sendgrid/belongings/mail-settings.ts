import { z } from 'zod';
import { unlessAbsent } from '../absence.js';
import type { SendGridClient } from '../client.js';

// Mail settings hold one thing each: reading and writing them is the same for all (sendgrid.md §8).

const enabled = z.boolean().nullish();
const answers = {
  forward_bounce: z.object({ email: z.string().nullish(), enabled }),
  forward_spam: z.object({ email: z.string().nullish(), enabled }),
  address_whitelist: z.object({ list: z.array(z.string()).nullish(), enabled }),
};
type Answers = { [Name in keyof typeof answers]: z.infer<(typeof answers)[Name]> };

/** @returns null when the account has no such setting (404) */
export function getSetting<Name extends keyof Answers>(
  client: SendGridClient,
  name: Name,
): Promise<Answers[Name] | null> {
  const answer = answers[name] as unknown as z.ZodType<Answers[Name]>;
  return unlessAbsent(null, () => client.call({ method: 'GET', path: `/v3/mail_settings/${name}`, answer }));
}

/** Writes the setting back with another value, switched on or off as it was. */
export async function putSetting<Name extends keyof Answers>(
  client: SendGridClient,
  name: Name,
  was: Answers[Name],
  value: Omit<Answers[Name], 'enabled'>,
): Promise<void> {
  const body = { ...value, ...(typeof was.enabled === 'boolean' ? { enabled: was.enabled } : {}) };
  await client.call({ method: 'PATCH', path: `/v3/mail_settings/${name}`, body, answer: null });
}
