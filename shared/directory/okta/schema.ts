import { z } from 'zod';

// Exactly what is read of Okta's answers; the SDK's models are not trusted (idp-events.md §1.6).

const text = z.string().nullish();

export const OktaUser = z.object({
  id: z.string().min(1),
  status: z.string(),
  transitioningToStatus: text,
  profile: z.object({
    login: text,
    email: text,
    secondEmail: text,
    firstName: text,
    lastName: text,
    managerId: text,
    manager: text,
  }),
});
export type OktaUser = z.infer<typeof OktaUser>;

export const OktaGroup = z.object({ id: z.string(), profile: z.object({ name: z.string() }) });

export const OktaAppUser = z.object({ id: z.string(), status: z.string() });

export const OktaApp = z.object({ id: z.string(), status: text, lastUpdated: text });
