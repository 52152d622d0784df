import { z } from 'zod';

// Exactly what is read of a delivery, of the System Log and of a hook (idp-events.md §1.3, §1.5). Targets are found by type, never by position.

export const OktaTarget = z.object({
  id: z.string().nullish(),
  type: z.string().nullish(),
  alternateId: z.string().nullish(),
});

export const OktaLogEvent = z.object({
  uuid: z.string().min(1),
  eventType: z.string().min(1),
  published: z.string().nullish(),
  target: z.array(OktaTarget).nullish(),
  outcome: z.object({ reason: z.string().nullish() }).nullish().catch(null),
});
export type OktaLogEvent = z.infer<typeof OktaLogEvent>;

export const OktaDelivery = z.object({ data: z.object({ events: z.array(z.unknown()) }) });

/** Its secret is never given back. */
export const OktaEventHook = z.object({
  id: z.string().min(1),
  status: z.string(),
  verificationStatus: z.string(),
  lastUpdated: z.string().nullish(),
  events: z.object({ items: z.array(z.string()) }),
  channel: z.object({
    config: z.object({
      uri: z.string(),
      authScheme: z.object({ type: z.string().nullish(), key: z.string().nullish() }).nullish(),
    }),
  }),
});
export type OktaEventHook = z.infer<typeof OktaEventHook>;
