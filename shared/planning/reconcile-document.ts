import type { FoundAccount } from '#shared/store/reconcile-requests.js';
import type { AccountOutcome } from './reconcile.js';

/** What a comparison found in one account, as `sendoff reconcile` and the API show it. */
export function reconcileDocument(outcome: AccountOutcome): FoundAccount {
  const { account, complete, teammates, drift, plans, problems } = outcome;
  const made = new Map(
    plans.flatMap(({ plan, person }) => (plan === null ? [] : [[plan.id, { ...plan, person }] as const])),
  );
  return {
    account,
    complete,
    teammates,
    drift: drift.map(({ act: _, granted: __, ...one }) => one),
    plans: [...made.values()],
    problems: [
      ...problems,
      ...plans.flatMap(({ person, problem }) => (problem === null ? [] : [`${person.email}: ${problem}`])),
    ],
  };
}
