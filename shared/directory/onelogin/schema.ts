import { z } from 'zod';

// Exactly what is read of OneLogin's answers (idp-events.md §4.3). Ids are numbers there and texts here.

const text = z.string().nullish();
const id = z.union([z.int(), z.string().regex(/^\d+$/)]).transform(String);

export const OneLoginUser = z.object({
  id,
  email: text,
  username: text,
  firstname: text,
  lastname: text,
  status: z.int().nullish(),
  state: z.int().nullish(),
  activated_at: text,
  // Nobody's access hangs on who their manager is.
  manager_user_id: id.nullish().catch(null),
  group_id: id.nullish(),
  role_ids: z.array(id).nullish(),
});
export type OneLoginUser = z.infer<typeof OneLoginUser>;

/** A role or a group. */
export const Named = z.object({ id, name: z.string() });

/** An app, or a member of a role or an app. */
export const Identified = z.object({ id });

/** Whether roles of a user come as ids or as objects is not documented. */
export const RoleRef = z.union([id, Named]);

export const TokenAnswer = z.object({
  access_token: z.string().min(1),
  created_at: text.catch(null),
  expires_in: z.number().positive().nullish(),
});

/** The envelope of version 1 of the API. */
export const Enveloped = z.object({
  pagination: z.object({ after_cursor: text }).nullish(),
  data: z.array(z.unknown()),
});

/** OneLogin's own "not found", in both versions; any other comes from something in between. */
export const NotFound = z.union([
  z.object({ statusCode: z.literal(404) }),
  z.object({ status: z.object({ code: z.literal(404) }) }),
]);
