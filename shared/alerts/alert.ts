/** What may need a human. */
export const alertKinds = [
  /** A plan waits for an answer. */
  'hold',
  /** Half of `sla.deprovision` is over, or all of it. */
  'sla-at-risk',
  'sla-breached',
  /** Something failed for good, and a person has to look. */
  'failed',
  /** SendGrid refuses an account’s key. */
  'breaker',
  /** A source can't be asked, or has said nothing for a week. */
  'source',
  'subscription',
  /** Once a week: what happened. */
  'weekly',
] as const;
export type AlertKind = (typeof alertKinds)[number];

/** Something that is so now. */
export interface Alert {
  /** The same thing has the same key for as long as it is so. */
  key: string;
  kind: AlertKind;
  /** One line; names no secret. */
  title: string;
  /** What to do about it. */
  remedy: string;
}
