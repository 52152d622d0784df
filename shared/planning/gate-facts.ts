import type { GateFacts } from '#shared/lifecycle/gate.js';
import {
  type Guard,
  isRemoval,
  type PlanDraft,
  type Policy,
  type Roster,
  twilioAccount,
} from '#shared/lifecycle/types.js';
import type { Db } from '#shared/store/database.js';
import { leavingAdmins, removalsOfOthers } from '#shared/store/plans.js';

/** Accounts in which a draft takes access away or changes it: what the gate decides there is decided under their locks. */
export function gatedAccounts({ actions }: Pick<PlanDraft, 'actions'>): string[] {
  const counted = actions.filter((action) => isRemoval(action) || action.admin);
  return [...new Set(counted.map((action) => action.account))].filter((account) => account !== twilioAccount).sort();
}

/** What the gate must know beside the draft. To hold, it has to be read under `lockAccounts`. */
export async function readGateFacts(
  db: Db,
  draft: PlanDraft,
  rosters: Roster[],
  policy: Policy,
  personId: string,
  run: readonly Guard[] = [],
): Promise<GateFacts> {
  const accounts = gatedAccounts(draft);
  const oldest = new Date(Math.min(Date.now(), ...rosters.map((roster) => roster.readAt.getTime())));
  const leaving = await leavingAdmins(db, accounts, oldest);
  const removals = await removalsOfOthers(db, accounts, personId, policy.limits.removals.windowMs);
  const mates = (account: string) => rosters.find((roster) => roster.account === account)?.teammates ?? [];
  return {
    admins: leaving.map(({ account, leaving: usernames }) => ({
      account,
      present: mates(account)
        .filter((mate) => mate.admin || mate.userType === 'owner')
        .map((mate) => mate.username),
      leaving: usernames,
    })),
    removals: removals.map(({ account, people }) => ({
      account,
      people,
      teammates: mates(account).filter((mate) => mate.userType !== 'owner').length,
    })),
    run,
  };
}
