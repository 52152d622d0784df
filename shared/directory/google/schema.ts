import { z } from 'zod';

// Exactly what is read of Google's answers (idp-events.md §3). A list proves by its kind that it is Google's: an empty one
// has no array at all, and `{}` from something in between must not pass for "nobody".

const text = z.string().nullish();

export const GoogleUser = z.object({
  id: z.string().min(1),
  primaryEmail: z.string().min(1),
  name: z.object({ givenName: text, familyName: text }).nullish(),
  suspended: z.boolean().nullish(),
  suspensionReason: text,
  archived: z.boolean().nullish(),
  deletionTime: text,
  aliases: z.array(z.string()).nullish(),
  nonEditableAliases: z.array(z.string()).nullish(),
  relations: z.array(z.object({ type: text, value: text })).nullish(),
});
export type GoogleUser = z.infer<typeof GoogleUser>;

export const GoogleGroup = z.object({
  id: z.string().min(1),
  email: z.string().min(1),
  name: text,
  adminCreated: z.boolean().nullish(),
});
export type GoogleGroup = z.infer<typeof GoogleGroup>;

export const GoogleMember = z.object({ id: text, type: z.string() });

const next = z.string().min(1).nullish();

export const UserPage = z.object({
  kind: z.literal('admin#directory#users'),
  users: z.array(z.unknown()).nullish(),
  nextPageToken: next,
});

export const GroupPage = z.object({
  kind: z.literal('admin#directory#groups'),
  groups: z.array(z.unknown()).nullish(),
  nextPageToken: next,
});

export const MemberPage = z.object({
  kind: z.literal('admin#directory#members'),
  members: z.array(z.unknown()).nullish(),
  nextPageToken: next,
});

export const ActivityPage = z.object({
  kind: z.string().endsWith('reports#activities'),
  items: z.array(z.unknown()).nullish(),
  nextPageToken: next,
});

/** `expiration` is in milliseconds, as a number or as text. */
export const Channel = z.object({
  id: z.string().min(1),
  resourceId: z.string().min(1),
  expiration: z.coerce.number().int().positive().nullish(),
});
export type Channel = z.infer<typeof Channel>;
