import type { Transaction } from 'kysely';
import { appendAudit } from '#shared/audit/append.js';
import { failpoint } from '#shared/failpoint.js';
import { addressesIn, canonicalAddress } from '#shared/lifecycle/address.js';
import { type Gated, gate, isProposed, release } from '#shared/lifecycle/gate.js';
import { plan } from '#shared/lifecycle/plan.js';
import { grantedRole, isCoveredByGrants } from '#shared/lifecycle/rules/grants.js';
import type { Situation } from '#shared/lifecycle/situation.js';
import type { Guard, Link, PlanDraft, PlanState, Policy } from '#shared/lifecycle/types.js';
import { databaseNow } from '#shared/store/database.js';
import { type Decision, standingDecision, voidDecisions } from '#shared/store/decisions.js';
import { finishEvent, type InboxEvent } from '#shared/store/inbox.js';
import { renameKeyOwner } from '#shared/store/key-register.js';
import { isProposal, operatorSource, restoreOrder } from '#shared/store/operator-events.js';
import { renameOrders } from '#shared/store/orders.js';
import {
  beginReading,
  isLatestReading,
  type PersonRow,
  rememberLeaving,
  rememberLinks,
  rememberPerson,
} from '#shared/store/people.js';
import {
  dropHeld,
  heldActions,
  lockAccounts,
  rejectedByHuman,
  setHash,
  storePlan,
  supersedePlans,
} from '#shared/store/plans.js';
import type { Schema } from '#shared/store/schema.js';
import { inSpan } from '#shared/telemetry/trace.js';
import { gatedAccounts, readGateFacts } from './gate-facts.js';
import type { Identified } from './identify.js';
import { catchUpGuards } from './run-guards.js';
import { readSituation, type Surroundings } from './situation.js';
import { managerEmail } from './successor.js';
import { assertNotBusy, dueWithoutProposal, endUnasked, removesAccess } from './weigh-proposal.js';

type Tx = Transaction<Schema>;

/** Nobody is planned from lists older than this; by a reconciliation, from its own unless they are older than that. */
const oldestListMs = 60_000;
const oldestOfRunMs = 10 * 60_000;

/** What is known beside the event when a reconciliation asks. */
export interface Asking {
  orphan?: boolean;
  arrivals?: Link[];
  /** When this run began to read the lists. */
  runSince?: Date;
  /** Why all removals of this run wait for a human, by account. */
  run?: readonly Guard[];
  /** What was proposed is left out: as much is due without it. */
  unproposed?: boolean;
}

export interface Planned {
  planId: string;
  state: PlanState;
}

/**
 * From an event to a stored plan: read the truth, plan, pass the gate. What the gate counts and what it lets pass is one
 * transaction.
 * @returns null when somebody who began to read later has decided
 * @throws DirectoryUnavailable when the directory gives no clear answer: nothing is planned on a guess
 */
export async function planPersonFor(
  surroundings: Surroundings,
  event: InboxEvent,
  identified: Identified,
  asking: Asking = {},
): Promise<Planned | null> {
  const { db, policy } = surroundings;
  const { person, ambiguousAddress, named } = identified;
  // The database's clock: whoever acts upon this later may have another.
  const now = new Date(await databaseNow(db));
  const since = listsSince(event, asking, now);
  const version = await beginReading(db, person.id);
  const situation = await readSituation(surroundings, {
    person,
    now,
    eventType: event.type,
    named,
    ambiguousAddress,
    freshness: {
      teammatesSince: since,
      invitationsSince: since,
      partsSince: new Date(0),
      urgent: event.source === operatorSource,
    },
    planning: true,
    restoring: event.source === operatorSource && event.senderType === restoreOrder,
    proposals: asking.unproposed === true ? 'none' : isProposal(event) ? 'all' : 'of-sources',
    ...(asking.orphan === undefined ? {} : { orphan: asking.orphan }),
    ...(asking.arrivals === undefined ? {} : { arrivals: asking.arrivals }),
  });
  const due = dueWithoutProposal(situation, policy);
  const draft = plan(situation, policy);
  const asksNothing = !isProposal(event) && !removesAccess(draft, policy);
  if (due !== null && (removesAccess(due, policy) || asksNothing)) {
    // What the directory asks for by itself waits for nobody's answer, nor does what the proposal would not undo.
    return planPersonFor(surroundings, event, identified, { ...asking, unproposed: true });
  }
  const manager = await currentManager(surroundings, situation, person);
  const run = [...(asking.run ?? []), ...(await catchUpGuards(db, event.run, draft, situation.rosters, policy))];
  const decide = async (tx: Tx): Promise<Planned | null> => {
    if (!(await isLatestReading(tx, person.id, version))) {
      // Whoever began to read later knows at least as much, and decides.
      await finishEvent(tx, event.id, 'decided by a later event of the same person');
      return null;
    }
    if (due !== null) await assertNotBusy(tx, person.id);
    await remember(tx, situation, due ?? draft, policy, manager, person);
    const gaveWay = await supersedePlans(tx, person.id);
    await lockAccounts(tx, gatedAccounts(draft));
    const facts = await readGateFacts(tx, draft, situation.rosters, policy, person.id, run);
    const { gated, decision } = await afterDecision(tx, person.id, draft, gate(draft, policy, facts));
    const planId = await storePlan(tx, {
      personId: person.id,
      eventId: event.id,
      personVersion: version,
      evidenceAt: now,
      draft,
      gated,
      expireMs: policy.approvals.expireMs,
    });
    if (decision?.answer === 'rejected') await dropHeld(tx, [planId], rejectedByHuman);
    await endUnasked(tx, person.id, { event, draft, gated, gaveWay });
    await finishEvent(tx, event.id, null);
    await audit(tx, { event, person, situation, draft, gated, decision, planId });
    failpoint('plan.before_commit');
    return { planId, state: gated.state };
  };
  const told = { 'sendoff.verdict': draft.verdict, 'sendoff.actions': draft.actions.length };
  const planned = await inSpan('gate', told, async (note) => {
    const result = await db.transaction().execute(decide);
    if (result !== null) note({ 'sendoff.plan': result.planId, 'sendoff.plan.state': result.state });
    return result;
  });
  failpoint('plan.after_commit');
  return planned;
}

/** A replayed event is old: the lists it is planned from are not. */
function listsSince({ receivedAt }: InboxEvent, { runSince }: Asking, now: Date): Date {
  const [asked, oldestMs] = runSince === undefined ? [receivedAt, oldestListMs] : [runSince, oldestOfRunMs];
  return new Date(Math.max(asked.getTime(), now.getTime() - oldestMs));
}

/** While they are still there, so that it is known once they are not. */
async function currentManager(
  { directories, policy }: Surroundings,
  { evidence }: Situation,
  person: PersonRow,
): Promise<string | null> {
  const asked = policy.offboarding.successor === 'manager' && evidence.kind === 'found';
  if (!asked || evidence.person.standing !== 'active' || evidence.person.manager === null) return null;
  // Nobody's access waits for it.
  return managerEmail(directories.of(person.directory), evidence.person, person).catch(() => null);
}

/** A human's answer to exactly these held changes, and the doubts shown with them, stands, whichever plan it was given to. */
async function afterDecision(
  tx: Tx,
  personId: string,
  draft: PlanDraft,
  gated: Gated,
): Promise<{ gated: Gated; decision: Decision | null }> {
  const held = heldActions(draft, gated);
  const hash = setHash(held, gated.holds);
  if (draft.verdict === 'keep') await voidDecisions(tx, personId, { except: hash });
  const decision = held.length === 0 ? null : await standingDecision(tx, personId, hash);
  if (decision === null) return { gated, decision };
  // An approval makes an order of a proposal: what is only proposed was never approved.
  if (decision.answer === 'approved' && isProposed(draft)) return { gated, decision: null };
  if (decision.answer === 'approved') return { gated: release(gated, draft), decision };
  return { gated: { ...gated, state: gated.passages.includes('go') ? 'applying' : 'rejected' }, decision };
}

interface Outcome {
  event: InboxEvent;
  person: PersonRow;
  situation: Situation;
  draft: PlanDraft;
  gated: Gated;
  decision: Decision | null;
  planId: string;
}

async function audit(tx: Tx, { event, person, situation, draft, gated, decision, planId }: Outcome): Promise<void> {
  const cause = { source: event.source, eventIds: [event.eventId], plan: planId };
  const subject = { person: { id: person.id, email: situation.person.emails[0] ?? null }, cause, actor: 'worker' };
  await appendAudit(tx, [
    {
      kind: 'plan.made',
      ...subject,
      detail: {
        verdict: draft.verdict,
        state: gated.state,
        evidence: situation.evidence.kind,
        actions: draft.actions.map(({ kind, footprint, account, subuser }) => ({ kind, footprint, account, subuser })),
        refused: draft.refused.map(({ rule, account }) => ({ rule, account })),
        notRead: draft.unread.map(({ account, part }) => ({ account, part })),
        todos: draft.todos.length,
        ...(decision === null ? {} : { decided: decision.answer, decidedBy: decision.by }),
      },
    },
    ...(gated.state === 'held'
      ? [
          {
            kind: 'plan.held' as const,
            ...subject,
            detail: { guards: [...gated.holds, ...draft.refused].map(({ rule, account }) => ({ rule, account })) },
          },
        ]
      : []),
    ...(gated.state === 'settled'
      ? [{ kind: 'person.settled' as const, ...subject, detail: { verdict: draft.verdict } }]
      : []),
  ]);
}

async function remember(
  tx: Tx,
  situation: Situation,
  draft: PlanDraft,
  policy: Policy,
  manager: string | null,
  before: Pick<PersonRow, 'emails'>,
): Promise<void> {
  const { person, evidence } = situation;
  await rememberLeaving(tx, person.id, draft.verdict === 'leaver' || draft.verdict === 'unassigned');
  if (evidence.kind !== 'found') return;
  await rememberPerson(tx, person.id, evidence.person, manager);
  const [now] = person.emails;
  const left = before.emails.filter((email) => !person.emails.includes(email));
  if (now !== undefined && left.length > 0) {
    // What names them by an address that they left behind is about them still.
    await renameKeyOwner(tx, left, now);
    await renameOrders(tx, left, now);
  }
  if (evidence.person.standing !== 'active' || evidence.person.assigned === false) return;
  await rememberLinks(tx, person.id, uniqueMatches(situation, policy, evidence.person.groups));
}

/**
 * Teammates that this person's addresses point at without doubt, where the app and the grants cover them; the tie
 * outlives a change of address, and proves later that they were covered.
 */
function uniqueMatches({ person, rosters, foreignLinks }: Situation, policy: Policy, groups: string[]): Link[] {
  return rosters
    .filter(({ account }) => !isCoveredByGrants(policy, account) || grantedRole(policy, account, groups) !== null)
    .flatMap((roster) => {
      const identity = policy.accounts.find((account) => account.name === roster.account)?.identity ?? '{email}';
      const addresses = addressesIn(identity, person.emails);
      return roster.teammates
        .filter((mate) => addresses.has(canonicalAddress(mate.email)))
        .filter(
          (mate, _, all) =>
            all.filter((other) => canonicalAddress(other.email) === canonicalAddress(mate.email)).length === 1 &&
            !foreignLinks.some((link) => link.account === roster.account && link.username === mate.username),
        )
        .map(({ username }) => ({ account: roster.account, username }));
    });
}
