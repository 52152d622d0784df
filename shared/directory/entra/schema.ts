import { z } from 'zod';

// Exactly what is read of Graph's answers (idp-events.md §2.4, §2.5).

const text = z.string().nullish();

export const EntraManager = z.object({ id: z.string().min(1), mail: text, userPrincipalName: text });

export const EntraUser = z.object({
  '@odata.type': text,
  id: z.string().min(1),
  /** Present only when it was selected: absent says nothing. */
  accountEnabled: z.boolean().nullish(),
  userPrincipalName: text,
  mail: text,
  otherMails: z.array(z.string()).nullish(),
  proxyAddresses: z.array(z.string()).nullish(),
  givenName: text,
  surname: text,
  deletedDateTime: text,
  manager: EntraManager.nullish(),
});
export type EntraUser = z.infer<typeof EntraUser>;

/** A member, or something that somebody is a member of. */
export const EntraObject = z.object({ '@odata.type': text, id: z.string().min(1), displayName: text });
export type EntraObject = z.infer<typeof EntraObject>;

export const EntraAssignment = z.object({
  principalId: z.string().min(1),
  principalType: z.string(),
});

export const EntraApp = z.object({ id: z.string(), accountEnabled: z.boolean().nullish() });

export const EntraPage = z.object({
  value: z.array(z.unknown()),
  '@odata.nextLink': z.string().optional(),
  '@odata.deltaLink': z.string().optional(),
});
