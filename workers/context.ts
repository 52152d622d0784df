import type { Clock } from '#shared/clock.js';
import type { Policy } from '#shared/lifecycle/types.js';
import type { Surroundings } from '#shared/planning/situation.js';
import type { SendGridClient } from '#shared/sendgrid/client.js';
import type { Db } from '#shared/store/database.js';
import type { Log } from '#shared/telemetry/log.js';
import type { TwilioClient } from '#shared/twilio/client.js';

/** What handlers work with; made once by `main.ts`, replaced piece by piece in tests. */
export interface WorkContext {
  db: Db;
  policy: Policy;
  surroundings: Surroundings;
  /** One client for each configured account. */
  clients: ReadonlyMap<string, SendGridClient>;
  /** null: Twilio is no target. */
  twilio: TwilioClient | null;
  clock: Clock;
  log: Log;
  /** Names this process on leases. */
  owner: string;
  /** Something became due: see queue/relay.ts. */
  nudge(): void;
  /** Known secret values out of a text that is about to be stored. */
  scrub(text: string): string;
}
