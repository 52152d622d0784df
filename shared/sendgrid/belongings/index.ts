import type { BelongingKind } from '#shared/lifecycle/belonging.js';
import { addressWhitelist } from './address-whitelist.js';
import { alerts } from './alerts.js';
import type { BelongingNoun } from './belonging.js';
import { forwardBounce } from './forward-bounce.js';
import { forwardSpam } from './forward-spam.js';
import { legacySenders } from './legacy-senders.js';
import { marketingSenders } from './marketing-senders.js';
import { verifiedSenders } from './verified-senders.js';

export type { BelongingNoun, BelongingState } from './belonging.js';

/** What can carry a person's address, and how it moves to somebody else: one noun of the API each. */
export const belongingNouns: Record<BelongingKind, BelongingNoun> = {
  'verified-sender': verifiedSenders,
  sender: marketingSenders,
  'legacy-sender': legacySenders,
  alert: alerts,
  'forward-bounce': forwardBounce,
  'forward-spam': forwardSpam,
  'address-whitelist': addressWhitelist,
};
