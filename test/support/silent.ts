import type { StoreLog } from '#shared/store/database.js';

/** A log for tests that don't look at it. */
export const silent: StoreLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
