import { z } from 'zod';

// Exactly what is read of Duo's logs (idp-events.md §5).

const text = z.string().nullish();

const Target = z.object({ key: text, name: text, type: text, details: z.unknown().optional() });

export const DuoActivity = z.object({
  activity_id: text,
  ts: text,
  /** An object of late, a text before; both occur. */
  action: z.union([z.string().min(1), z.object({ name: z.string().min(1) }).transform(({ name }) => name)]),
  target: Target.nullish(),
  old_target: Target.nullish(),
  outcome: z.object({ result: text }).nullish(),
});
export type DuoActivity = z.infer<typeof DuoActivity>;

/** A row of the older log; it has no id. `object` is the user's name, `username` who did it. */
export const DuoAdministratorRow = z.object({
  timestamp: z.number(),
  action: z.string().min(1),
  object: text,
  username: text,
  description: z.unknown().optional(),
});
export type DuoAdministratorRow = z.infer<typeof DuoAdministratorRow>;

const part = z.union([z.string(), z.number()]);

export const DuoActivityPage = z.object({
  items: z.array(z.unknown()),
  metadata: z
    .object({
      next_offset: z.union([part.transform(String), z.array(part).transform((list) => list.join())]).nullish(),
    })
    .nullish(),
});
