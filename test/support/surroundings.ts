import { createDirectories } from '#shared/directory/directories.js';
import type { Policy, Roster } from '#shared/lifecycle/types.js';
import { createInTime } from '#shared/planning/in-time.js';
import type { Surroundings } from '#shared/planning/situation.js';
import type { Db } from '#shared/store/database.js';
import type { OktaEmulator } from '#test/emulators/okta/index.js';

/** A real database, an emulated Okta as the truth, and these rosters. */
export function surroundingsOf(db: Db, okta: OktaEmulator, policy: Policy, rosters: Roster[]): Surroundings {
  const source = {
    type: 'okta' as const,
    orgUrl: okta.url,
    token: 'okta-emulator-token',
    hookSecret: ['x'],
    poll: null,
  };
  return {
    db,
    directories: createDirectories({ authority: ['okta'], sources: { okta: source } }),
    policy,
    readRoster: async (name) => rosters.find((one) => one.account === name) as Roster,
    readAccess: async () => null,
    inTime: createInTime(),
    findTwilioUser: async () => null,
  };
}
