import { z } from 'zod';

// Exactly what is read of an event (idp-events.md §4.1). Push and poll name the same things alike, except for the time.

/** Ids come as numbers and as texts; none is null, empty or 0. */
const id = z
  .union([z.int(), z.string()])
  .nullish()
  .transform((value) => (/^[1-9]\d{0,18}$/.test(String(value)) ? String(value) : null))
  .catch(null);
const text = z.string().nullish().catch(null);

export const OneLoginEvent = z.object({
  event_type_id: z
    .union([z.int(), z.string().regex(/^\d{1,9}$/)])
    .transform(Number)
    .refine((type) => type > 0),
  user_id: id,
  role_id: id,
  app_id: id,
  /** Of the webhook. */
  uuid: text,
  event_timestamp: text,
  /** Of the Events API. */
  created_at: text,
});
export type OneLoginEvent = z.infer<typeof OneLoginEvent>;

/** What the poll itself needs of an event of the API. */
export const NumberedEvent = z.object({ id: z.coerce.number().int().positive(), created_at: z.string() });

export const EventType = z.object({ id: z.int().positive(), name: z.string().min(1) });
