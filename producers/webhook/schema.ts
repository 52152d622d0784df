import { z } from 'zod';

// What may stand at a mapped place. A body has whatever form its system likes: only these values are read of it.

/** A word for what happened; systems write `active: false` too. */
export const Word = z.union([z.string().min(1).max(200), z.number(), z.boolean()]).transform(String);

/** An id; a number that does not survive JSON would be somebody else's. */
export const Id = z.union([z.string().trim().min(1).max(200), z.int()]).transform(String);

export const Text = z.string().trim().max(320);

/** ISO 8601, or seconds or milliseconds since 1970. */
export const Time = z.union([
  z.string().transform((text, context) => timeOf(Date.parse(text), context)),
  z.number().transform((number, context) => timeOf(number < 1e11 ? number * 1_000 : number, context)),
]);

function timeOf(ms: number, context: z.RefinementCtx): Date {
  const time = new Date(ms);
  if (!Number.isNaN(time.getTime())) return time;
  context.addIssue({ code: 'custom', message: 'is no time' });
  return z.NEVER;
}
