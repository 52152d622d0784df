import { z } from 'zod';

// Exactly what is read of a notification (idp-events.md §2.2, §2.3) and of a delta page (§2.5).

const text = z.string().nullish();

export const GraphDelivery = z.object({ value: z.array(z.unknown()), validationTokens: z.unknown().optional() });

/** What proves an item, and all that is looked at before it is proven. */
export const GraphProof = z.object({
  subscriptionId: z.string().min(1),
  clientState: z.string(),
  tenantId: z.string(),
  resourceData: z.object({ organizationId: text }).nullish(),
});

export type GraphProof = z.infer<typeof GraphProof>;

export const GraphItem = z.object({
  id: text,
  subscriptionId: z.string().min(1),
  subscriptionExpirationDateTime: text,
  lifecycleEvent: text,
  changeType: text,
  resource: text,
  resourceData: z
    .object({
      '@odata.type': text,
      id: text,
      eventTime: text,
      /** As text: it is beyond what a number holds. */
      sequenceNumber: z.union([z.string(), z.number()]).nullish(),
      'members@delta': z.array(z.object({ '@odata.type': text, id: z.string().min(1) })).nullish(),
    })
    .nullish(),
});
export type GraphItem = z.infer<typeof GraphItem>;

const removed = z.object({ reason: text }).nullish();

export const DeltaUser = z.object({
  id: z.string().min(1),
  accountEnabled: z.boolean().nullish(),
  mail: text,
  userPrincipalName: text,
  '@removed': removed,
});
export type DeltaUser = z.infer<typeof DeltaUser>;

export const DeltaMember = z.object({ '@odata.type': text, id: z.string().min(1), '@removed': removed });
export type DeltaMember = z.infer<typeof DeltaMember>;

export const DeltaGroup = z.object({
  id: z.string().min(1),
  '@removed': removed,
  'members@delta': z.array(DeltaMember).nullish(),
});
