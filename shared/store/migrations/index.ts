import type { Migration } from 'kysely';
import * as spine from './0001-spine.js';
import * as offboarding from './0002-offboarding.js';
import * as sources from './0003-sources.js';
import * as access from './0004-access.js';
import * as alerts from './0005-alerts.js';
import * as replays from './0006-replays.js';

/** Every migration, in order. Never edited once released; there is no way down. */
export const migrations: Record<string, Migration> = {
  '0001-spine': spine,
  '0002-offboarding': offboarding,
  '0003-sources': sources,
  '0004-access': access,
  '0005-alerts': alerts,
  '0006-replays': replays,
};
