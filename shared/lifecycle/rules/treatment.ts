import type { Situation } from '../situation.js';
import type { AccountPolicy, Policy } from '../types.js';
import type { Footprints } from './footprints.js';
import { type Granted, grantedRole, isCoveredByGrants } from './grants.js';
import type { Standing } from './verdict.js';

/** What the policy wants done with a person in one account. */
export interface TreatmentHere {
  wanted: 'delete' | 'restrict' | 'grant' | 'keep';
  reason: string;
  /** With `grant`: what their groups give them; null where no grants say so. */
  granted: Granted | null;
  /** With `restrict`, when it is a step before deletion: when that follows. */
  deleteAt: Date | null;
  /** Something the operator should read beside the plan. */
  note: string | null;
}

/** What is to become of a person of this standing in this account. */
export function treatmentOf(
  { verdict, reason }: Standing,
  situation: Situation,
  account: AccountPolicy,
  policy: Policy,
  footprints: Footprints,
): TreatmentHere {
  const { offboarding } = policy;
  const here = (wanted: TreatmentHere['wanted'], more: Partial<TreatmentHere> = {}): TreatmentHere => ({
    wanted,
    reason,
    granted: null,
    deleteAt: null,
    note: null,
    ...more,
  });
  const uncovered = (why: string): TreatmentHere => {
    const wanted = offboarding.unassigned;
    if (wasCovered(situation, account.name)) return withGrace(here(wanted, { reason: why }), situation, policy);
    const found = footprints.places.length > 0;
    // Somebody whom nothing ever covered is drift to report, not to remove (design.md, evidence).
    const note = `In ${account.name}: drift. Nothing shows that the app or a grant ever covered this person there, so nothing is removed`;
    return here('keep', { note: found ? note : null });
  };
  switch (verdict) {
    case 'leaver':
      return withGrace(here(offboarding.terminated), situation, policy);
    case 'suspended':
      return here(offboarding.suspended);
    case 'unassigned':
      return uncovered(reason);
    case 'keep': {
      if (situation.evidence.kind !== 'found') return here('keep');
      if (!isCoveredByGrants(policy, account.name)) return here('grant');
      const granted = grantedRole(policy, account.name, situation.evidence.person.groups);
      if (granted !== null) return here('grant', { granted });
      return uncovered(`The directory says the person is active but in no group that grants access to ${account.name}`);
    }
  }
}

/** First restricted, deleted once the grace period has passed since they began to leave. */
function withGrace(treatment: TreatmentHere, { leavingSince, now }: Situation, { offboarding }: Policy): TreatmentHere {
  if (treatment.wanted !== 'delete' || offboarding.graceMs === 0) return treatment;
  const deleteAt = new Date((leavingSince ?? now).getTime() + offboarding.graceMs);
  if (deleteAt <= now) return treatment;
  return { ...treatment, wanted: 'restrict', deleteAt };
}

function wasCovered({ eventType, person, restrictions, arrivals }: Situation, account: string): boolean {
  return (
    eventType === 'unassigned' || [...person.links, ...restrictions, ...arrivals].some((one) => one.account === account)
  );
}
