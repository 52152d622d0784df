import { addressesIn, canonicalAddress } from './address.js';
import { handOverBelongings } from './rules/belongings.js';
import { bringBackActions, doubtfulRecords } from './rules/bring-back.js';
import { findFootprints } from './rules/footprints.js';
import { handOverKeys } from './rules/keys.js';
import { offboardActions, unrestrictActions } from './rules/offboard.js';
import { readdressActions } from './rules/readdress.js';
import { roleActions } from './rules/roles.js';
import { type TreatmentHere, treatmentOf } from './rules/treatment.js';
import { isProtected, refusal } from './rules/untouchable.js';
import { type Standing, standingVerdict } from './rules/verdict.js';
import type { Situation } from './situation.js';
import {
  type AccountPolicy,
  type ActionDraft,
  type Guard,
  type PlanDraft,
  type Policy,
  type Roster,
  twilioAccount,
} from './types.js';

/**
 * What must change so that SendGrid matches what the directory says of one person. Pure: same situation, same plan,
 * in whatever order its lists come; and planning again after the plan was applied yields no action.
 */
export function plan(situation: Situation, policy: Policy): PlanDraft {
  const standing = standingVerdict(situation);
  const draft: PlanDraft = {
    verdict: standing.verdict,
    reasons: [standing.reason],
    actions: [],
    refused: [],
    holds: [],
    unread: [...situation.unread],
    todos: [],
    nextAt: null,
  };
  for (const roster of [...situation.rosters].sort((a, b) => order(a.account, b.account))) {
    const account = policy.accounts.find((candidate) => candidate.name === roster.account);
    if (account !== undefined) planAccount(draft, standing, situation, policy, roster, account);
  }
  planTwilio(draft, standing, situation, policy);
  draft.holds.push(...proposalHolds(situation, draft.actions));
  draft.unread.sort((a, b) => order(`${a.account}\n${a.part ?? ''}`, `${b.account}\n${b.part ?? ''}`));
  return draft;
}

function planAccount(
  draft: PlanDraft,
  standing: Standing,
  situation: Situation,
  policy: Policy,
  roster: Roster,
  account: AccountPolicy,
): void {
  const footprints = findFootprints(situation, roster, account);
  const treatment = treatmentOf(standing, situation, account, policy, footprints);
  const { wanted, reason, deleteAt } = treatment;
  // In one account nobody may be a leaver and in another unassigned: the gravest is the plan's.
  if (standing.verdict === 'keep' && (wanted === 'delete' || wanted === 'restrict')) {
    draft.verdict = 'unassigned';
    draft.reasons.push(reason);
  }
  if (treatment.note !== null) draft.reasons.push(treatment.note);
  draft.unread.push(...roster.unread.filter(({ part }) => concerns(part, treatment)));

  const candidates: ActionDraft[] = [];
  if (wanted === 'delete' || wanted === 'restrict') {
    candidates.push(...offboardActions(wanted, situation, roster, footprints, policy, reason));
    if (deleteAt !== null && footprints.places.length > 0) {
      draft.nextAt = draft.nextAt === null || deleteAt < draft.nextAt ? deleteAt : draft.nextAt;
      draft.reasons.push(`In ${account.name}: restricted first, deleted after ${deleteAt.toISOString()}`);
    }
    if (isLeaving(standing, treatment)) {
      for (const { actions, todos } of [
        handOverBelongings(situation, roster, account, policy, footprints, reason),
        handOverKeys(situation, roster, policy, reason),
      ]) {
        candidates.push(...actions);
        draft.todos.push(...todos);
      }
    }
  } else if (standing.verdict === 'keep') {
    const { granted } = treatment;
    const entitled =
      wanted === 'grant' ? entitledActions(situation, roster, account, policy, footprints, granted) : null;
    draft.refused.push(...(entitled?.refused ?? []));
    draft.reasons.push(...(entitled?.notes ?? []));
    candidates.push(...(entitled?.actions ?? []));
    // A granted role says more than what they had before they were restricted or removed, and they need only be in once.
    const joins =
      candidates.some(({ kind }) => kind === 'provision') || (granted !== null && isIn(roster, account, situation));
    // Whom no group covers here is not brought back, or the next plan would have to remove them again.
    if (wanted === 'grant' || situation.evidence.kind !== 'found') {
      candidates.push(...bringBackActions(situation, roster).filter(({ subuser }) => subuser !== null || !joins));
    }
    if (wanted === 'grant') {
      // Also when their access could not be read: then the plan waits until it was.
      const ruledByRole = granted !== null && policy.provisioning.rescope;
      candidates.push(...unrestrictActions(situation, account.name, footprints, reason, ruledByRole));
    }
  }
  let any = false;
  for (const action of candidates) {
    const guard = refusal(action, situation.person, roster, policy);
    if (guard === null) draft.actions.push(action);
    else draft.refused.push(guard);
    any ||= guard === null;
  }
  if (any) {
    const doubts = [...doubtfulBelongings(situation, candidates), ...doubtfulRecords(situation, candidates)];
    draft.holds.push(...footprints.ambiguities, ...doubts);
  }
}

/** Under the address that is theirs now, with what their groups grant. */
function entitledActions(...about: Parameters<typeof readdressActions>): {
  actions: ActionDraft[];
  refused: Guard[];
  notes: string[];
} {
  const { actions, refused, notes, replaced } = readdressActions(...about);
  const role = roleActions(...about, replaced);
  return { actions: [...actions, ...role.actions], refused: [...refused, ...role.refused], notes };
}

/** Is one of the person's addresses in the parent already? */
function isIn(roster: Roster, { identity }: AccountPolicy, { person }: Situation): boolean {
  const addresses = addressesIn(identity, person.emails);
  return [...roster.teammates, ...roster.invitations].some(({ email }) => addresses.has(canonicalAddress(email)));
}

/** What somebody only proposed waits for a human, whatever the account's mode. */
function proposalHolds({ order }: Situation, actions: ActionDraft[]): Guard[] {
  if (order?.proposed !== true) return [];
  const detail = `proposed by ${order.by}${order.reason === null ? '' : `: ${order.reason}`}; a human has to approve it`;
  const accounts = new Set(actions.map(({ account }) => account));
  return [...accounts].map((account) => ({ rule: 'proposed', account, target: null, detail }));
}

/** Whose address may be somebody else's too, their things may be as well. */
function doubtfulBelongings({ sharedAddresses }: Situation, candidates: ActionDraft[]): Guard[] {
  if (sharedAddresses.length === 0) return [];
  return candidates
    .filter(({ kind }) => kind === 'reassign' || kind === 'revoke' || kind === 'hand-over')
    .map(({ account, target }) => ({
      rule: 'ambiguous',
      account,
      target,
      detail: 'the directory has an address of this person under two ids',
    }));
}

/** Only who leaves the company hands over what they owned; whoever lost the app still works there. */
function isLeaving({ verdict }: Standing, { wanted, deleteAt }: TreatmentHere): boolean {
  return verdict === 'leaver' && (wanted === 'delete' || deleteAt !== null);
}

/** What could not be read counts only where it could have mattered. */
function concerns(part: string | null, { wanted, granted }: TreatmentHere): boolean {
  const needsSubusers = granted?.role.kind === 'subusers' && part === 'subusers';
  return part === null || wanted === 'delete' || wanted === 'restrict' || needsSubusers;
}

/** The optional second target: their Twilio sign-in is stopped (sendgrid.md §11). */
function planTwilio(draft: PlanDraft, { verdict, reason }: Standing, situation: Situation, policy: Policy): void {
  const { twilio, person, sharedAddresses } = situation;
  const leaves = verdict === 'leaver' && policy.offboarding.terminated !== 'keep';
  if (twilio === null || !twilio.active || policy.twilio === null || !leaves) return;
  const guard = (rule: Guard['rule'], detail: string): Guard => ({
    rule,
    account: twilioAccount,
    target: twilio.id,
    detail,
  });
  if (isProtected(policy, [twilio.userName, ...person.emails])) {
    draft.refused.push(guard('protected', 'listed under `protect` in the configuration'));
    return;
  }
  draft.actions.push({
    kind: 'deactivate',
    footprint: 'twilio-user',
    account: twilioAccount,
    subuser: null,
    target: twilio.id,
    email: twilio.userName,
    admin: false,
    reason,
  });
  if (sharedAddresses.length > 0)
    draft.holds.push(guard('ambiguous', 'the directory has an address of this person under two ids'));
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
