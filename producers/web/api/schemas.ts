import { z } from 'zod';

export { assertAccount, found } from '#shared/operations/found.js';

// Pieces of what goes in and out, in the words of docs/glossary.md.

/** Every list's query: design.md, small print "Lists". */
export const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  before: z
    .string()
    .regex(/^\d{1,19}$/)
    .optional()
    .describe('The page before’s `next`'),
});

/** For lists whose cursor is a time and an id. */
export const timedListQuery = listQuery.extend({
  before: z.string().max(200).optional().describe('The page before’s `next`'),
});

/** For a list that is counted along. */
export const countedListQuery = listQuery.extend({
  before: z
    .string()
    .regex(/^\d{1,9}$/)
    .optional()
    .describe('The page before’s `next`'),
});

/**
 * Of a route that reads a list by what may name somebody: that is told in a body, for addresses end up in logs
 * (reliability.md §11, 41). It is no write, so nothing of it is kept for a repetition.
 */
export const searchConfig = { access: 'viewer', reads: true } as const;

export const byId = z.strictObject({ id: z.uuid() });
export const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
export const address = z
  .email()
  .max(320)
  .transform((text) => text.toLowerCase());
export const reason = z.string().trim().min(1).max(1_000);
export const at = z.iso.datetime();
export const atOrNull = at.nullable();

export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}

export const personRef = z.object({ id: z.string().nullable(), email: z.string().nullable() });
export const knownPerson = z.object({ id: z.string(), email: z.string().nullable() });

export const todo = z.object({ account: z.string(), text: z.string() });

/** What `exactOptionalPropertyTypes` wants: keys that are not set are not there. */
export function given<T extends object>(query: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as never;
}
