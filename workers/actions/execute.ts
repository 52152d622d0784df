import { setTimeout as sleep } from 'node:timers/promises';
import { appendAudit } from '#shared/audit/append.js';
import { messageOf, PermanentError, SendoffError, WaitError } from '#shared/errors.js';
import { failpoint } from '#shared/failpoint.js';
import { mayHaveBeenApplied } from '#shared/sendgrid/errors.js';
import { advanceStage, isFinal, lockAction, type Release, releaseAction, renewLease } from '#shared/store/actions.js';
import { forgetLink, rememberLinks } from '#shared/store/people.js';
import { hasGivenWay, planAfterAction } from '#shared/store/plans.js';
import { closeRecord, closeRestrictions, keepRestoreRecord } from '#shared/store/restore-records.js';
import type { WorkContext } from '../context.js';
import type { Handler } from '../process-job.js';
import type { Sighting } from './action.js';
import { auditOf, changeFacts, withoutAddresses } from './audit-of.js';
import { type Claim, claimAction, replan } from './claim.js';
import { effectOf } from './kinds.js';
import { act, look } from './steps.js';
import { assertNotStopped } from './stopped.js';

/** So much of the lease is left when the request starts that it ends before another may take over (reliability.md §3). */
const startWithinMs = 20_000;
/** Waits before each look again: SendGrid may show a change a moment late. */
const lookAgainAfterMs = [0, 400, 1_500];
/** Somebody outside has to act: how often it is looked whether they have, are asked again, and when it is given up. */
const pending = { lookMs: 5 * 60_000, remindMs: 24 * 3_600_000, giveUpMs: 7 * 24 * 3_600_000 };
/** After so many attempts that SendGrid accepted and did not carry out, a person has to look. */
const contradictionsAllowed = 5;

/** Claim, look, act, look again, finish with the audit record in one transaction (reliability.md §3). */
export const executeAction: Handler = {
  async run(context, actionId) {
    let claim = await claimAction(context, actionId);
    if (claim === null) return;
    failpoint('action.after_claim');
    let acted = claim.inDoubt;
    try {
      const sighting = await look('look', claim, claim.inDoubt ? claim.row.before : undefined);
      if (await concludeFromLook(context, claim, sighting)) return;
      const began = performance.now();
      if (sighting.kind !== 'differs') return;
      const announced = await announce(context, claim, sighting);
      if (announced === 'gave-way') return await finish(context, claim, 'superseded', sighting);
      if (announced === 'lost') return;
      claim = { ...claim, row: { ...claim.row, before: sighting.seen } };
      failpoint('action.before_act');
      assertInTime(began);
      acted = true;
      await act(claim, sighting.found).catch((error: unknown) => {
        acted = mayHaveBeenApplied(error);
        throw error;
      });
      failpoint('action.after_act');
      await concludeFromLookAgain(context, claim, await lookAgain(claim));
    } catch (error) {
      await concludeFromError(context, claim, error, acted);
    }
  },
  async giveUp(context, actionId, reason) {
    await context.db.transaction().execute(async (tx) => {
      const row = await lockAction(tx, actionId);
      if (row === null || isFinal(row.state) || row.state === 'failed') return;
      await tx
        .updateTable('action')
        .set({ state: 'failed', due_at: null, lease_until: null })
        .where('id', '=', actionId)
        .execute();
      const detail = { why: withoutAddresses(reason) };
      await appendAudit(tx, { kind: 'action.failed', ...(await auditOf(tx, row)), detail });
      await planAfterAction(tx, row.planId);
    });
    context.nudge();
  },
};

/** @returns true when the look alone settled the action */
async function concludeFromLook(context: WorkContext, claim: Claim, sighting: Sighting): Promise<boolean> {
  if (sighting.kind === 'as-wanted') {
    // A delete that was repeated and earned a 404 was done, not superfluous; so was what others had to complete.
    await finish(context, claim, claim.inDoubt || claim.row.attempts > 0 ? 'done' : 'noop', sighting);
    return true;
  }
  if (sighting.kind === 'refused') {
    await finish(context, claim, 'refused', sighting);
    return true;
  }
  if (!claim.mayAct) {
    await finish(context, claim, 'superseded', sighting);
    return true;
  }
  if (sighting.kind === 'pending') return waitForOthers(context, claim, sighting, false);
  const { draft } = claim.row;
  const isAdminNow = draft.footprint === 'teammate' && 'admin' in sighting.seen && sighting.seen.admin;
  if (draft.kind !== 'restore' && draft.subuser === null && isAdminNow && !draft.admin) {
    // The gate did not count this person among the admins: it has to be asked again.
    await context.db
      .transaction()
      .execute((tx) => replan(tx, claim.row, 'they have become an admin since the plan was made'));
    context.nudge();
    return true;
  }
  return false;
}

/**
 * Evidence first: what is about to be done, and what must be kept, is committed before the request is sent. The last
 * moment at which a stop, or a newer plan made while it was looked, still holds it back.
 * @returns 'lost' when another worker has taken over
 */
async function announce(
  context: WorkContext,
  { row, fence }: Claim,
  { seen, record }: Extract<Sighting, { kind: 'differs' }>,
): Promise<'announced' | 'gave-way' | 'lost'> {
  return context.db.transaction().execute(async (tx) => {
    await assertNotStopped(tx, row.draft.account);
    if (await hasGivenWay(tx, row.planId)) return 'gave-way';
    if (!(await renewLease(tx, row.id, fence, seen))) return 'lost';
    if (record !== null) await keepRestoreRecord(tx, row, record);
    await appendAudit(tx, {
      kind: 'action.attempted',
      ...(await auditOf(tx, row)),
      ...changeFacts({ before: seen }),
    });
    return 'announced';
  });
}

/** A process that stood still since it announced the change leaves it to whoever has taken over. @throws WaitError */
function assertInTime(began: number): void {
  if (performance.now() - began <= startWithinMs) return;
  throw new WaitError('this process stood still before the request; nothing was sent', 1_000, {
    code: 'ACTION_WAITS',
    blame: 'remote',
  });
}

async function lookAgain(claim: Claim): Promise<Sighting> {
  let sighting: Sighting | null = null;
  for (const wait of lookAgainAfterMs) {
    if (wait > 0) await sleep(wait);
    sighting = await look('look again', claim, claim.row.before ?? null);
    if (sighting.kind !== 'differs') break;
  }
  return sighting as Sighting;
}

async function concludeFromLookAgain(context: WorkContext, claim: Claim, sighting: Sighting): Promise<void> {
  if (sighting.kind === 'as-wanted') return finish(context, claim, 'done', sighting);
  if (sighting.kind === 'pending') {
    await waitForOthers(context, claim, sighting, true);
    return;
  }
  const undone =
    sighting.kind === 'refused' ? sighting.why : `shows it undone${sighting.lacks ? ` (${sighting.lacks})` : ''}`;
  const said = `SendGrid accepted the change but ${undone}`;
  if (claim.row.attempts + 1 >= contradictionsAllowed) {
    await release(context, claim, { state: 'failed', dueMs: null, error: said, counts: true }, 'action.failed');
    throw new PermanentError(said, {
      code: 'ACTION_CONTRADICTED',
      blame: 'remote',
      remedy: 'look at the teammate in SendGrid',
    });
  }
  await waitFor(context, claim, { state: 'ready', error: said, counts: true }, backoffMs(claim.row.attempts));
}

/**
 * All was done that can be: it is looked at again until somebody outside has done the rest, and they are reminded.
 * @returns true: the action needs nothing more now
 */
async function waitForOthers(
  context: WorkContext,
  claim: Claim,
  { why, remind }: Extract<Sighting, { kind: 'pending' }>,
  acted: boolean,
): Promise<true> {
  const { row } = claim;
  const now = context.clock.now().getTime();
  if (now - row.createdAt.getTime() > pending.giveUpMs) {
    const error = `${why}; given up after seven days`;
    await release(context, claim, { state: 'failed', dueMs: null, error, counts: true }, 'action.failed');
    return true;
  }
  const asked = row.remindedAt ?? row.createdAt;
  const reminded = remind && now - asked.getTime() > pending.remindMs;
  if (reminded) await effectOf(row.draft).remind?.(claim.reach, row.draft);
  await release(
    context,
    claim,
    { state: 'waiting', dueMs: pending.lookMs, error: why, counts: acted || row.attempts === 0, reminded },
    null,
  );
  return true;
}

async function concludeFromError(context: WorkContext, claim: Claim, error: unknown, acted: boolean): Promise<never> {
  const message = context.scrub(messageOf(error));
  // What may have been applied is looked up before anything is sent again.
  const state = acted ? ('unknown' as const) : ('ready' as const);
  if (error instanceof WaitError)
    return waitFor(context, claim, { state, error: message, counts: false }, error.delayMs);
  if (error instanceof SendoffError && error.blame === 'remote' && !(error instanceof PermanentError)) {
    return waitFor(context, claim, { state, error: message, counts: true }, backoffMs(claim.row.attempts));
  }
  if (error instanceof PermanentError) {
    await release(context, claim, { state: 'failed', dueMs: null, error: message, counts: true }, 'action.failed');
    throw error;
  }
  // Ours: a bug, or the database. The lease is given back so that the next attempt need not wait for its end.
  await release(context, claim, { state, dueMs: 0, error: message, counts: false }, null).catch(() => undefined);
  throw error;
}

/** @throws WaitError always */
async function waitFor(
  context: WorkContext,
  claim: Claim,
  outcome: Pick<Release, 'state' | 'error' | 'counts'>,
  delayMs: number,
): Promise<never> {
  await release(context, claim, { ...outcome, dueMs: delayMs }, null);
  throw new WaitError(outcome.error ?? '', delayMs, { code: 'ACTION_WAITS', blame: 'remote' });
}

async function finish(
  context: WorkContext,
  claim: Claim,
  state: 'done' | 'noop' | 'refused' | 'superseded',
  sighting: Sighting,
): Promise<void> {
  const gaveWay = state === 'superseded' ? 'the plan gave way to a newer one' : null;
  const why = sighting.kind === 'refused' ? sighting.why : gaveWay;
  const kind = { done: 'action.applied', noop: 'action.noop', refused: 'action.refused', superseded: null } as const;
  const after = 'seen' in sighting ? sighting.seen : null;
  const note = sighting.kind === 'as-wanted' ? sighting.note : undefined;
  failpoint('action.before_finish');
  await release(context, claim, { state, dueMs: null, error: why, counts: state === 'done', after }, kind[state], note);
  failpoint('action.after_finish');
}

async function release(
  context: WorkContext,
  { row, fence }: Claim,
  outcome: Release,
  kind: 'action.applied' | 'action.noop' | 'action.refused' | 'action.failed' | null,
  note?: string,
): Promise<void> {
  const { draft } = row;
  const written = await context.db.transaction().execute(async (tx) => {
    if (!(await releaseAction(tx, row.id, fence, outcome))) return false;
    if (kind !== null) {
      await appendAudit(tx, {
        kind,
        ...(await auditOf(tx, row)),
        ...changeFacts({ before: row.before, after: outcome.after }),
        ...(outcome.error === null && note === undefined
          ? {}
          : { detail: { why: withoutAddresses(outcome.error ?? note ?? '') } }),
      });
    }
    if (outcome.state === 'done' || outcome.state === 'noop') {
      const endsRestriction = ['deprovision', 'provision', 'restore', 'rescope', 'retire'].includes(draft.kind);
      if (draft.footprint === 'teammate' && endsRestriction) await closeRestrictions(tx, row.personId, draft);
      const isGone = draft.kind === 'deprovision' || draft.kind === 'retire';
      if (isGone && draft.footprint === 'teammate' && draft.subuser === null) {
        await forgetLink(tx, row.personId, { account: draft.account, username: draft.target });
      }
      if (draft.kind === 'provision' && draft.recordId !== null) await closeRecord(tx, draft.recordId);
      if (draft.kind === 'provision' && draft.sso && draft.subuser === null && outcome.state === 'done') {
        // Known by this name from now on, whatever becomes of their address, and covered should they lose the grant.
        await rememberLinks(tx, row.personId, [{ account: draft.account, username: draft.target }]);
      }
    }
    if (outcome.counts || outcome.dueMs === null) await advanceStage(tx, row.planId, draft.account);
    if (outcome.dueMs === null || outcome.state === 'waiting') await planAfterAction(tx, row.planId);
    return true;
  });
  if (!written)
    context.log.warn({ action: row.id }, 'fenced: another worker has taken this action over; nothing was written');
  context.nudge();
}

/** 2 s, 4 s, … one minute, each spread over its upper half so that an account's jobs don't wake together. */
function backoffMs(attempts: number): number {
  const full = Math.min(60_000, 2_000 * 2 ** Math.min(attempts, 10));
  return full * (0.5 + Math.random() / 2);
}
