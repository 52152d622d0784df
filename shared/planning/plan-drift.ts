import { messageOf } from '#shared/errors.js';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import { type Drift, whoOf } from '#shared/lifecycle/drift.js';
import type { Guard, LifecycleEventType, PersonRef, PlanState } from '#shared/lifecycle/types.js';
import { attachPerson, buryEvent, hasOpenEvent, inboxEvent, storeFinding, wasAnnounced } from '#shared/store/inbox.js';
import { personFor } from '#shared/store/people.js';
import { openPlanAbout } from '#shared/store/plans.js';
import { type Identified, identify } from './identify.js';
import { planPersonFor } from './plan-person.js';
import type { Surroundings } from './situation.js';

/** What became of one finding. */
export interface PlannedDrift {
  target: string;
  directoryId: string | null;
  person: { id: string | null; email: string };
  /** null: nothing was planned, and `problem` says why. */
  plan: { id: string; state: PlanState } | null;
  problem: string | null;
  /** Did an event of a source say so already? */
  announced: boolean;
}

const typeOf: Partial<Record<Drift['kind'], LifecycleEventType>> = {
  orphan: 'terminated',
  leaver: 'terminated',
  suspended: 'suspended',
  unassigned: 'moved',
  arrival: 'moved',
  renamed: 'renamed',
  access: 'moved',
};

/**
 * Plans what a comparison found, one person at a time. A person whose open plan is about the same footprint is left to
 * that plan.
 * @param whole was the whole directory read, so that "nobody has this address" may count?
 */
export async function planDrift(
  surroundings: Surroundings,
  { runId, now }: { runId: string; now: Date },
  drift: Drift[],
  run: readonly Guard[],
  whole: boolean,
): Promise<PlannedDrift[]> {
  const planned: PlannedDrift[] = [];
  const people = new Map<string, Drift[]>();
  for (const one of drift) {
    if (!one.act || (one.kind === 'orphan' && !whole)) continue;
    const key = whoOf(one);
    people.set(key, [...(people.get(key) ?? []), one]);
  }
  for (const findings of people.values()) {
    const outcome = await planOne(surroundings, runId, now, findings, run);
    for (const { target, directoryId, email } of findings) {
      planned.push({
        target,
        directoryId,
        ...outcome,
        person: { id: outcome.person.id, email: canonicalAddress(email) },
      });
    }
  }
  return planned;
}

type Outcome = Pick<PlannedDrift, 'plan' | 'problem' | 'announced'> & { person: { id: string | null } };

async function planOne(
  surroundings: Surroundings,
  runId: string,
  now: Date,
  findings: Drift[],
  run: readonly Guard[],
): Promise<Outcome> {
  const { db } = surroundings;
  const [first] = findings as [Drift, ...Drift[]];
  const { kind, account, directory, directoryId } = first;
  let eventId: string | null = null;
  let personId: string | null = null;
  try {
    const ref = { directoryId, email: canonicalAddress(first.email) };
    // An address that only a roster shows is no address of the person: the id says who is meant.
    const known = await whoIs(surroundings, directory, directoryId === null ? ref : { directoryId, email: null });
    const { person } = known;
    personId = person.id;
    const announced = await wasAnnounced(db, person.id);
    if (await hasOpenEvent(db, person))
      return { person: { id: person.id }, plan: null, problem: null, announced: true };
    const open = await openPlanAbout(db, person.id, findings);
    if (open !== null) return { person: { id: person.id }, plan: open, problem: null, announced };
    const id = await storeFinding(db, {
      eventId: `${runId}:${account}:${whoOf(first)}`,
      type: typeOf[kind] ?? 'moved',
      ref: directoryId === null ? ref : { directoryId, email: null },
      raw: { run: runId, findings },
      now,
    });
    eventId = id;
    await attachPerson(db, id, person.id);
    const event = await inboxEvent(db, id);
    if (event === null) return { person: { id: person.id }, plan: null, problem: null, announced };
    const made = await planPersonFor(surroundings, event, known, {
      orphan: kind === 'orphan',
      arrivals: findings
        .filter((one) => one.kind === 'arrival')
        .map((one) => ({ account: one.account, username: one.target })),
      runSince: now,
      run,
    });
    const plan = made === null ? null : { id: made.planId, state: made.state };
    return { person: { id: person.id }, plan, problem: null, announced };
  } catch (error) {
    if (eventId !== null) await buryEvent(db, eventId, messageOf(error));
    return { person: { id: personId }, plan: null, problem: messageOf(error), announced: true };
  }
}

/** The comparison said in which directory it found them: whose they are was decided there. */
async function whoIs(surroundings: Surroundings, directory: string | null, ref: PersonRef): Promise<Identified> {
  if (directory === null) return identify(surroundings, ref, null);
  return { person: await personFor(surroundings.db, directory, ref), ambiguousAddress: null, named: false };
}
