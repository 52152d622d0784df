/** What in an account can carry a person's address (sendgrid.md §8). */
export const belongingKinds = [
  'verified-sender',
  'sender',
  'legacy-sender',
  'alert',
  'forward-bounce',
  'forward-spam',
  'address-whitelist',
] as const;
export type BelongingKind = (typeof belongingKinds)[number];

/** Something in an account that carries addresses. */
export interface Belonging {
  kind: BelongingKind;
  /** SendGrid's id; for settings the kind itself. */
  id: string;
  /** For people to read. */
  label: string;
  /** Every address in it, as written. */
  addresses: string[];
}
