import { z } from 'zod';

// Exactly what is read of Duo's answers (idp-events.md §5).

export const DuoSuccess = z.object({ stat: z.literal('OK'), response: z.unknown(), metadata: z.unknown().optional() });

/** The first three digits of `code` are the HTTP status: what lacks it was not said by Duo. */
export const DuoFailure = z.object({
  stat: z.literal('FAIL'),
  code: z.number().int(),
  message: z.string().nullish(),
});

const text = z.string().nullish();

export const DuoUser = z.object({
  user_id: z.string().min(1),
  status: z.string(),
  username: text,
  email: text,
  firstname: text,
  lastname: text,
  /** `alias1` and so on. */
  aliases: z.union([z.record(z.string(), text), z.array(z.unknown()).transform(() => ({}))]).nullish(),
  groups: z.array(z.object({ name: z.string() })).nullish(),
});
export type DuoUser = z.infer<typeof DuoUser>;

export const DuoUsers = z.array(DuoUser);

const count = z.union([z.number(), z.string().regex(/^\d+$/)]).transform(Number);

export const DuoPaging = z.object({ next_offset: count.nullish(), total_objects: count.nullish() });
