import type {
  Access,
  Evidence,
  LifecycleEventType,
  Link,
  OperatorOrder,
  Person,
  Persona,
  RegisteredKey,
  Removed,
  Restriction,
  Roster,
  TwilioAccess,
  Unread,
} from './types.js';

/** Everything a plan depends on, as values. */
export interface Situation {
  /** The moment it is about. */
  now: Date;
  person: Person;
  evidence: Evidence;
  order: OperatorOrder | null;
  /** Was the whole directory read and nobody found who has this address, and does the policy want such people gone? */
  orphan: boolean;
  /** Since when the person has been leaving without a break; null: not, or it is news. */
  leavingSince: Date | null;
  /** What the event that asked said. Never the truth, but proof that the app once covered the person. */
  eventType: LifecycleEventType | null;
  rosters: Roster[];
  unread: Unread[];
  /** Addresses of what seems to be this person's that another directory id holds as well, lower-case. */
  sharedAddresses: string[];
  /** Teammates linked to somebody else. */
  foreignLinks: Link[];
  /** Restrictions by Sendoff that are still in force. */
  restrictions: Restriction[];
  /** Access read from SendGrid for this person's teammates, where known: the list gives none. */
  known: { account: string; subuser: string | null; username: string; access: Access }[];
  /** What Sendoff itself gave them last, and what SendGrid showed of it: it makes of a persona what it likes. */
  applied: { account: string; username: string; persona: Persona | null; shown: Access }[];
  /** Who receives what the person owned. */
  successor: Successor;
  /** What is to be brought back by an operator's order. */
  restore: Removed[];
  /** The key register of the accounts on the rosters. */
  registeredKeys: RegisteredKey[];
  /** Teammates of this person that SendGrid made by itself when they signed in, seen for the first time. */
  arrivals: Link[];
  twilio: TwilioAccess | null;
}

/** `email` null: nobody, and `why` says why. */
export interface Successor {
  email: string | null;
  why: string;
}
