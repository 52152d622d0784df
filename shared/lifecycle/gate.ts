import {
  type ActionDraft,
  type Guard,
  isRemoval,
  type PlanDraft,
  type PlanState,
  type Policy,
  twilioAccount,
} from './types.js';

/** Full-access people of one account, the owner included. */
export interface Admins {
  account: string;
  /** Usernames with full access on the last whole roster. */
  present: string[];
  /** Usernames among them whom actions of other plans are about to remove or restrict. */
  leaving: string[];
}

/** How many people lost access in one account within the rolling window, this plan's person left out. */
export interface Removals {
  account: string;
  /** Done, under way or released: each person once. */
  people: number;
  /** Teammates on the last whole roster, the owner not counted. */
  teammates: number;
}

/** What the gate needs to know beside the plan; read under the accounts' locks. */
export interface GateFacts {
  admins: readonly Admins[];
  removals: readonly Removals[];
  /** Why a whole run of removals waits for a human, by account (reconciliation). */
  run: readonly Guard[];
}

export type Passage = 'go' | 'hold' | 'observe';

export interface Gated {
  state: PlanState;
  /** One for each action of the draft, in its order. */
  passages: Passage[];
  /** Why actions are held: those of the draft and those found here. */
  holds: Guard[];
}

/** What stands between plan and effect. A hold blocks the account or the footprint it is about, nothing more. */
export function gate(draft: PlanDraft, policy: Policy, facts: GateFacts): Gated {
  const holds = [...draft.holds];
  for (const account of new Set(draft.actions.map((action) => action.account))) {
    if (modeOf(policy, account) === 'approve') {
      holds.push({ rule: 'mode-approve', account, target: null, detail: 'this account’s mode asks for an approval' });
    }
    holds.push(...lastAdmins(draft, account, policy, facts.admins));
    const here = draft.actions.filter((action) => action.account === account);
    const run = facts.run.filter((guard) => guard.account === account);
    // Whoever gets another address loses nothing: no limit of removals counts them.
    if (here.some(({ kind }) => kind === 'retire')) holds.push(...run.filter(({ rule }) => rule === 'move-limit'));
    if (here.some(isRemoval)) {
      holds.push(...run.filter(({ rule }) => rule !== 'move-limit'));
      holds.push(...removalLimit(account, policy, facts.removals));
    }
  }
  const passages = draft.actions.map((action) => passage(action, policy, holds));
  return { state: stateOf(draft, passages), passages, holds };
}

/** The same after somebody approved exactly what was held: it may go, with the reasons kept for the record. */
export function release(gated: Gated, draft: PlanDraft): Gated {
  const passages = gated.passages.map((one) => (one === 'hold' ? ('go' as const) : one));
  return { ...gated, passages, state: stateOf(draft, passages) };
}

/** Does a human have to say first whether it is wanted at all? */
export function isProposed({ holds }: { holds: readonly Guard[] }): boolean {
  return holds.some(({ rule }) => rule === 'proposed');
}

/** The most people that may lose access in an account within the window (design.md, small print "Removal limit"). */
export function removalCap({ limits }: Pick<Policy, 'limits'>, teammates: number): number {
  const { floor, share, max } = limits.removals;
  // 0.05 x 60 is 3, whatever binary fractions make of it.
  return Math.min(max, Math.max(floor, Math.floor(share * teammates + 1e-9)));
}

export function modeOf(policy: Policy, account: string): string {
  if (account === twilioAccount) return policy.twilio?.mode ?? 'observe';
  // An account that left the configuration is left alone.
  return policy.accounts.find((candidate) => candidate.name === account)?.mode ?? 'observe';
}

function removalLimit(account: string, policy: Policy, removals: readonly Removals[]): Guard[] {
  const here = removals.find((one) => one.account === account);
  if (here === undefined) return [];
  const cap = removalCap(policy, here.teammates);
  if (here.people + 1 <= cap) return [];
  const hours = Math.round(policy.limits.removals.windowMs / 360_000) / 10;
  return [
    {
      rule: 'removal-limit',
      account,
      target: null,
      detail: `${here.people} people lost access here within ${hours} h and limits.removals allows ${cap} (${here.teammates} teammates)`,
    },
  ];
}

function lastAdmins(draft: PlanDraft, account: string, policy: Policy, admins: readonly Admins[]): Guard[] {
  const losing = draft.actions.filter((action) => action.account === account && losesAdmin(action));
  if (losing.length === 0) return [];
  const here = admins.find((candidate) => candidate.account === account);
  const gone = new Set([...(here?.leaving ?? []), ...losing.map((action) => action.target)]);
  const remaining = (here?.present ?? []).filter((username) => !gone.has(username)).length;
  if (remaining >= policy.limits.admins) return [];
  return losing.map((action) => ({
    rule: 'last-admin',
    account,
    target: action.target,
    detail: `would leave ${remaining} with full access; limits.admins asks for ${policy.limits.admins}`,
  }));
}

function losesAdmin(action: ActionDraft): boolean {
  if (!action.admin || action.footprint !== 'teammate') return false;
  return action.kind === 'deprovision' || ('wanted' in action && !action.wanted.admin);
}

function passage(action: ActionDraft, policy: Policy, holds: readonly Guard[]): Passage {
  if (modeOf(policy, action.account) === 'observe') return 'observe';
  const held = holds.some(
    (hold) => hold.account === action.account && (hold.target === null || hold.target === action.target),
  );
  return held ? 'hold' : 'go';
}

function stateOf(draft: PlanDraft, passages: readonly Passage[]): PlanState {
  if (passages.includes('hold')) return 'held';
  if (passages.includes('go')) return 'applying';
  if (draft.refused.length > 0) return 'held';
  const mustReread = draft.unread.some(({ retryMs }) => retryMs !== null);
  if (passages.includes('observe') && !mustReread) return 'planned';
  return mustReread || draft.nextAt !== null ? 'waiting' : 'settled';
}
