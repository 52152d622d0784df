import { type Gated, gate } from '#shared/lifecycle/gate.js';
import { plan } from '#shared/lifecycle/plan.js';
import { type ActionDraft, heirIn, type PlanDraft } from '#shared/lifecycle/types.js';
import { ensureAccounts } from '#shared/store/accounts.js';
import { databaseNow } from '#shared/store/database.js';
import { guardText, setHash } from '#shared/store/plans.js';
import { readGateFacts } from './gate-facts.js';
import { identify } from './identify.js';
import { readSituation, type Surroundings } from './situation.js';

export type PlanPreview = ReturnType<typeof documentOf>;

/**
 * What would change for this person now, from the directory and fresh rosters: a plan as lists show it, which is stored
 * nowhere and changes nothing.
 * @throws DirectoryUnavailable when the directory gives no clear answer
 */
export async function previewPlan(surroundings: Surroundings, email: string): Promise<PlanPreview> {
  const { db, policy } = surroundings;
  await ensureAccounts(
    db,
    policy.accounts.map(({ name }) => name),
  );
  const { person, ambiguousAddress } = await identify(surroundings, { directoryId: null, email }, null);
  const now = new Date(await databaseNow(db));
  const situation = await readSituation(surroundings, {
    person,
    now,
    eventType: null,
    named: false,
    ambiguousAddress,
    freshness: { teammatesSince: now, invitationsSince: now, partsSince: now, urgent: true },
    planning: false,
  });
  const draft = plan(situation, policy);
  const gated = gate(draft, policy, await readGateFacts(db, draft, situation.rosters, policy, person.id));
  return documentOf({ id: person.id, email: situation.person.emails[0] ?? email }, draft, gated);
}

function documentOf(person: { id: string; email: string }, draft: PlanDraft, gated: Gated) {
  const held = draft.actions.filter((_, index) => gated.passages[index] === 'hold');
  return {
    id: null,
    state: gated.state,
    verdict: draft.verdict,
    person,
    cause: null,
    reasons: draft.reasons,
    actions: draft.actions.map((action, index) => actionOf(action, gated.passages[index] === 'go')),
    refused: draft.refused,
    notRead: draft.unread,
    todos: draft.todos,
    hold:
      gated.state === 'held'
        ? {
            reasons: [...gated.holds, ...draft.refused].map(guardText),
            setHash: setHash(held, gated.holds),
            expiresAt: null,
          }
        : null,
    createdAt: null,
  };
}

function actionOf(action: ActionDraft, mayGo: boolean) {
  const { kind, footprint, account, subuser, target, reason } = action;
  return {
    id: null,
    planId: null,
    state: mayGo ? ('ready' as const) : ('waiting' as const),
    kind,
    footprint,
    account,
    subuser,
    target,
    label: 'label' in action ? action.label : null,
    to: heirIn(action),
    reason,
    attempts: 0,
    lastError: null,
  };
}
