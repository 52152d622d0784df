import { z } from 'zod';

// Exactly what is read of a transmitter (idp-events.md §6). Everything else may be there and is left alone.

export const Header = z.object({
  typ: z.string(),
  alg: z.string(),
  kid: z.string().min(1),
  crit: z.undefined().optional(),
});
export type Header = z.infer<typeof Header>;

/** The claims, once signature, iss and aud are settled. `events` stays as it is: its keys come from outside. */
export const Claims = z.object({
  jti: z.string().min(1),
  iat: z.number(),
  toe: z.number().optional(),
  sub_id: z.unknown().optional(),
  events: z.custom<Record<string, unknown>>(isObject),
});

export const Audience = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RFC 9493, and what older transmitters write: `subject_type` instead of `format`, dashes instead of underscores. */
export const Subject = z
  .looseObject({
    format: z.string().optional(),
    subject_type: z.string().optional(),
    email: z.string().optional(),
    iss: z.string().optional(),
    sub: z.string().optional(),
    id: z.string().optional(),
    uri: z.string().optional(),
    identifiers: z.array(z.unknown()).optional(),
  })
  .transform((subject) => ({
    ...subject,
    format: (subject.format ?? subject.subject_type)?.replaceAll('-', '_').toLowerCase() ?? null,
  }));
export type Subject = z.infer<typeof Subject>;

/** What is read inside the one event, whatever its type. */
export const EventBody = z.object({
  subject: z.unknown().optional(),
  event_timestamp: z.number().optional().catch(undefined),
  state: z.string().optional().catch(undefined),
  status: z.string().optional().catch(undefined),
  reason: z.string().optional().catch(undefined),
});

export const Metadata = z.object({
  issuer: z.string(),
  jwks_uri: z.string().optional(),
  configuration_endpoint: z.string().optional(),
  status_endpoint: z.string().optional(),
  verification_endpoint: z.string().optional(),
  critical_subject_members: z.array(z.string()).default([]),
  default_subjects: z.string().optional(),
});
export type Metadata = z.infer<typeof Metadata>;

export const Stream = z.object({
  stream_id: z.string().min(1),
  iss: z.string().optional(),
  aud: Audience.optional(),
  delivery: z
    .object({
      method: z.string().optional(),
      endpoint_url: z.string().optional(),
      authorization_header: z.string().optional(),
    })
    .optional(),
  events_requested: z.array(z.string()).optional(),
  events_delivered: z.array(z.string()).optional(),
  min_verification_interval: z.number().nonnegative().optional(),
});
export type Stream = z.infer<typeof Stream>;

export const StreamStatus = z.object({ status: z.string(), reason: z.string().nullish() });
export type StreamStatus = z.infer<typeof StreamStatus>;

export const PollAnswer = z.object({
  sets: z.custom<Record<string, unknown>>(isObject).default({}),
  moreAvailable: z.boolean().default(false),
});
export type PollAnswer = z.infer<typeof PollAnswer>;

export const TokenAnswer = z.object({
  access_token: z.string().min(1),
  expires_in: z.number().positive().optional(),
});

/** What is stored of a poll: these are in the inbox, and the transmitter has still to be told. */
export const PollCursor = z.object({
  ack: z.array(z.string()),
  setErrs: z.record(z.string(), z.object({ err: z.string(), description: z.string() })),
});
export type PollCursor = z.infer<typeof PollCursor>;
