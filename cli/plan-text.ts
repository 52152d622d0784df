import { type Guard, type Todo, twilioAccount, type Unread } from '#shared/lifecycle/types.js';
import { coloured, lookOf } from './terminal.js';

/** What a plan's text needs, whether it was stored or only thought through. */
export interface PlanFacts {
  /** null: only thought through. */
  id: string | null;
  state: string;
  person: { email: string | null };
  reasons: string[];
  actions: {
    kind: string;
    footprint: string;
    account: string;
    subuser: string | null;
    target: string;
    label: string | null;
    to?: string | null;
    reason: string;
    state: string;
    lastError?: string | null;
  }[];
  refused: Pick<Guard, 'account' | 'target' | 'detail'>[];
  notRead: Pick<Unread, 'account' | 'part' | 'reason'>[];
  todos: Todo[];
  hold: { reasons: string[] } | null;
}

/** A plan as something an operator can sign: who, why, what and where, what stands in the way, what is left to them. */
export function planText(plan: PlanFacts): string {
  const places = [
    ...new Set([
      ...plan.actions.map(({ account }) => account),
      ...plan.refused.map(({ account }) => account),
      ...plan.todos.map(({ account }) => account),
      ...plan.notRead.map(({ account }) => account),
    ]),
  ].sort();
  const lines = [
    `${plan.person.email ?? 'unknown person'}: ${coloured(plan.state, lookOf(process.stdout))}`,
    ...plan.reasons.map((reason) => `  why: ${reason}`),
  ];
  if (plan.actions.length === 0) lines.push('  nothing to change');
  for (const place of places) {
    lines.push('', place === twilioAccount ? 'Twilio' : place);
    for (const action of plan.actions.filter(({ account }) => account === place))
      lines.push(`  ${actionText(action, plan.reasons)}`);
    for (const { account, target, detail } of plan.refused.filter(({ account }) => account === place))
      lines.push(`  ! not touched: ${target ?? account}: ${detail}`);
    for (const { part, reason } of plan.notRead.filter(({ account }) => account === place))
      lines.push(`  ? not read: ${part ?? 'the account'}: ${reason}`);
    for (const { text } of plan.todos.filter(({ account }) => account === place)) lines.push(`  ☐ for you: ${text}`);
  }
  if (plan.hold !== null) lines.push('', 'Held until somebody decides:');
  for (const reason of plan.hold?.reasons ?? []) lines.push(`  ✋ ${reason}`);
  // What is never touched, nobody can approve.
  if (plan.hold !== null && plan.id !== null && plan.actions.some(({ state }) => state === 'waiting')) {
    lines.push(`  → sendoff plans approve ${plan.id}`, `  → sendoff plans reject ${plan.id}`);
  }
  return lines.join('\n');
}

function actionText(
  { kind, footprint, subuser, target, label, to, reason, state, lastError }: PlanFacts['actions'][number],
  reasons: string[],
): string {
  const named = footprint === 'api-key' ? `API key “${label}” (${target})` : label;
  const what = label === null ? `${footprint.replace(/-/g, ' ')} ${target}` : named;
  const where = subuser === null ? '' : ` in subuser ${subuser}`;
  const onto = to === null || to === undefined ? '' : ` → ${to}`;
  const error = lastError === null || lastError === undefined ? '' : `: ${lastError}`;
  const shown = coloured(state, lookOf(process.stdout));
  return `- ${verb(kind, footprint)} ${what}${where}${onto} [${shown}]${ownReason(reason, reasons)}${error}`;
}

/** What an action's reason says beyond the plan's: who receives something, and what makes a key theirs. */
function ownReason(reason: string, reasons: string[]): string {
  const known = reasons.find((one) => reason === one || reason.startsWith(`${one}; `));
  const own = known === undefined ? reason : reason.slice(known.length + 2);
  return own === '' ? '' : ` (${own})`;
}

function verb(kind: string, footprint: string): string {
  if (kind === 'deprovision')
    return footprint === 'access-request' ? 'deny' : footprint === 'invitation' ? 'withdraw' : 'delete';
  return kind === 'hand-over' ? 'hand over' : kind;
}
