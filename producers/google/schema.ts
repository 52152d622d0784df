import { z } from 'zod';

// Exactly what is read of a message and of an activity (idp-events.md §3.1, §3.2).

export const UserMessage = z.object({
  id: z.string().min(1),
  primaryEmail: z.string().nullish(),
});

const Event = z.object({
  type: z.string().nullish(),
  name: z.string().min(1),
  parameters: z.array(z.object({ name: z.string(), value: z.string().nullish() })).nullish(),
});
export type ActivityEvent = z.infer<typeof Event>;

/** `uniqueQualifier` is a number of 64 bits, as text; the published samples have it as a number. */
export const Activity = z.object({
  id: z.object({
    time: z.string().min(1),
    uniqueQualifier: z.union([z.string().min(1), z.number()]),
    applicationName: z.string().min(1),
  }),
  events: z.array(Event).nullish(),
});

export const DeletedUser = z.object({
  id: z.string().min(1),
  primaryEmail: z.string().nullish(),
  deletionTime: z.iso.datetime({ offset: true }),
});
export type DeletedUser = z.infer<typeof DeletedUser>;
