import { z } from 'zod';

// Exactly the fields that Sendoff reads (sendgrid.md §11, scim.md §3), and in our words past here.

/** Twilio writes versions such as `W/1`, which is no well-formed ETag: it goes back letter for letter. */
const version = z.string().regex(/^[\x20-\x7e]*$/);

export const twilioUser = z
  .object({
    id: z.string().min(1),
    userName: z.string().min(1),
    // Never guessed: a user of whom it is not said may sign in or not.
    active: z.boolean(),
    meta: z.object({ version: version.nullish() }).nullish(),
  })
  .transform(({ id, userName, active, meta }) => ({ id, userName, active, version: meta?.version || null }));

/** A user of a Twilio Organization, who may or may not sign in. */
export type TwilioUser = z.infer<typeof twilioUser>;

/** Without `Resources` it says only how many there are, and nobody is an answer only if it is 0. */
export const userList = z
  .object({ totalResults: z.int().min(0).nullish(), Resources: z.array(twilioUser).nullish() })
  .refine(({ totalResults, Resources }) => totalResults === 0 || Resources != null)
  // Twilio has no paging: what is missing cannot be asked for.
  .refine(({ totalResults, Resources }) => (totalResults ?? 0) <= (Resources ?? []).length)
  .transform(({ Resources }) => Resources ?? []);

export const tokenAnswer = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  token_type: z
    .string()
    .regex(/^bearer$/i)
    .nullish(),
  expires_in: z.number().positive().nullish(),
  refresh_token: z.string().min(1).nullish(),
});
