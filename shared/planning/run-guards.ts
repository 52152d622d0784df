import { addressesIn, canonicalAddress } from '#shared/lifecycle/address.js';
import { removalCap } from '#shared/lifecycle/gate.js';
import { type Guard, isRemoval, type PlanDraft, type Policy, type Roster } from '#shared/lifecycle/types.js';
import type { Db } from '#shared/store/database.js';
import { runLeavers } from '#shared/store/inbox.js';

// A run that by itself would take access from too many people waits for a human, whole (reliability.md §9): a comparison,
// or what a catch-up brought at once.

/** In smaller accounts a share says nothing. */
export const shareFrom = 10;

/** @param who what asks: "this run" */
export function runLimits(
  who: string,
  account: string,
  { people, teammates }: { people: number; teammates: number },
  policy: Policy,
): Guard[] {
  const guard = (detail: string): Guard => ({ rule: 'run-limit', account, target: null, detail: `${who} ${detail}` });
  const cap = removalCap(policy, teammates);
  const { runShare } = policy.limits;
  return [
    ...(people > cap ? [guard(`alone would take access from ${people} people; limits.removals allows ${cap}`)] : []),
    ...(teammates >= shareFrom && people > runShare * teammates
      ? [
          guard(
            `alone would take access from ${people} of ${teammates} people; limits.runShare allows ${Math.floor(runShare * 100)} %`,
          ),
        ]
      : []),
  ];
}

/** Whom the events of one catch-up say to have left, in each of these accounts; hooks come one by one and are no run. */
export async function catchUpGuards(
  db: Db,
  run: string | null,
  { actions }: Pick<PlanDraft, 'actions'>,
  all: Roster[],
  policy: Policy,
): Promise<Guard[]> {
  const rosters = all.filter(({ account }) => actions.some((one) => one.account === account && isRemoval(one)));
  if (run === null || rosters.length === 0) return [];
  const leavers = await runLeavers(db, run);
  return rosters.flatMap((roster) => {
    const identity = policy.accounts.find(({ name }) => name === roster.account)?.identity ?? '{email}';
    const present = new Set(
      [...roster.teammates, ...roster.invitations].map((footprint) => canonicalAddress(footprint.email)),
    );
    const people = leavers.filter((emails) =>
      [...addressesIn(identity, emails)].some((one) => present.has(one)),
    ).length;
    const teammates = roster.teammates.filter((mate) => mate.userType !== 'owner').length;
    return runLimits('this catch-up', roster.account, { people, teammates }, policy);
  });
}
