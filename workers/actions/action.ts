import type { ActionDraft, Snapshot } from '#shared/lifecycle/types.js';
import type { SendGridClient } from '#shared/sendgrid/client.js';
import type { Db } from '#shared/store/database.js';
import type { RestoreRecord } from '#shared/store/schema.js';
import type { TwilioClient } from '#shared/twilio/client.js';

/** What an effect may reach: the account it is about (acting inside the draft's subuser), Twilio, Sendoff's own tables. */
export interface Reach {
  sendgrid: SendGridClient;
  twilio: TwilioClient;
  db: Db;
}

/** What is there, seen a moment ago. `Found` is what the effect needs to act upon it. */
export type Sighting<Found = unknown> =
  /** The wanted condition holds. `note`: what SendGrid made of it. */
  | { kind: 'as-wanted'; seen: Snapshot | null; note?: string }
  /** It does not hold yet. `record`: what must be kept before it is made to hold. `lacks`: what is missing, for people. */
  | { kind: 'differs'; seen: Snapshot; record: RestoreRecord | null; found: Found; lacks?: string }
  /** All was done that can be; somebody or something outside has to do the rest. */
  | { kind: 'pending'; why: string; remind: boolean }
  /** It must not be made to hold: what is there is not what was planned for. */
  | { kind: 'refused'; why: string };

/** One kind of effect: how to look, and the one request that makes the wanted condition hold. */
export interface Effect<Draft extends ActionDraft = ActionDraft, Found = unknown> {
  /** Reads only. @param before what was there before this effect was sent; undefined: it was not sent */
  look(reach: Reach, draft: Draft, before?: Snapshot | null): Promise<Sighting<Found>>;
  /** Sends the change. What it answers proves nothing: the executor looks again. */
  act(reach: Reach, draft: Draft, found: Found): Promise<void>;
  /** Asks whoever it waits for once more. */
  remind?(reach: Reach, draft: Draft): Promise<void>;
}

/** The draft of one kind and footprint. */
export type DraftOf<Kind extends ActionDraft['kind']> = Extract<ActionDraft, { kind: Kind }>;
