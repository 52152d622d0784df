import type { Migration } from 'kysely';
import * as spine from './0001-spine.js';
import * as offboarding from './0002-offboarding.js';
import * as sources from './0003-sources.js';
import * as access from './0004-access.js';
import * as alerts from './0005-alerts.js';
import * as replays from './0006-replays.js';
import * as traces from './0007-traces.js';
import * as search from './0008-search.js';
import * as catchUpRuns from './0009-catch-up-runs.js';
import * as reconcileFindings from './0010-reconcile-findings.js';

/** Every migration, in order. Never edited once released; there is no way down. */
export const migrations: Record<string, Migration> = {
  '0001-spine': spine,
  '0002-offboarding': offboarding,
  '0003-sources': sources,
  '0004-access': access,
  '0005-alerts': alerts,
  '0006-replays': replays,
  '0007-traces': traces,
  '0008-search': search,
  '0009-catch-up-runs': catchUpRuns,
  '0010-reconcile-findings': reconcileFindings,
};
