import type { Belonging } from '#shared/lifecycle/belonging.js';
import type { SendGridClient } from '../client.js';

/** How something that carries addresses stands towards one leaver. */
export type BelongingState =
  /** Carries none of the leaver's addresses, or is gone. */
  | { kind: 'clear' }
  /** `fields`: which hold which of the leaver's addresses, as written. `step`: what `act` will do next. */
  | { kind: 'carries'; fields: Record<string, string>; step: string }
  /** Waits for somebody or something outside: a verification mail, a lock. `remind`: would another mail help? */
  | { kind: 'pending'; why: string; remind: boolean };

/** One API noun that carries addresses (sendgrid.md §8). Look, act, look again: each act is one step on the way. */
export interface BelongingNoun {
  /**
   * Everything of the kind; nothing where SendGrid answers 404.
   * @throws errors.ts; never returns part of the list
   */
  list(client: SendGridClient): Promise<Belonging[]>;
  /**
   * @param from the leaver's addresses, lower-case
   * @param to the successor's address; null: nobody, so addresses can only be taken out of lists
   * @throws errors.ts
   */
  look(client: SendGridClient, id: string, from: ReadonlySet<string>, to: string | null): Promise<BelongingState>;
  /**
   * Takes the step that `look` named; nothing if another one is due by now.
   * @throws errors.ts, SendGridLocked, and SendGridRefused SENDGRID_UNSUPPORTED when it needs a successor and has none
   */
  act(client: SendGridClient, id: string, from: ReadonlySet<string>, to: string | null, step: string): Promise<void>;
  /** Sends the verification mail again, if one is still waited for. */
  remind?(client: SendGridClient, id: string, to: string): Promise<void>;
}
