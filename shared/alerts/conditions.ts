import type { Alert } from './alert.js';

/** What the database says, gathered in one look. */
export interface AlertFacts {
  held: { plan: string; email: string | null; reasons: string[] }[];
  /** Leavers whose access is not yet proven gone, by age. */
  unfinished: { event: string; email: string | null; ageMs: number }[];
  failed: { action: string; account: string; email: string | null; error: string | null }[];
  breakers: { account: string; reason: string }[];
  tasks: { source: string; task: string; failures: number; error: string | null }[];
  silent: { source: string; days: number }[];
  /** What was sent in the last week and could not be read, or may not be carried out without a human. */
  quarantined: { source: string; count: number; reason: string }[];
  subscriptions: { id: string; source: string; kind: string; secondsLeft: number | null; problem: string | null }[];
}

/** A task that failed so often in a row is no hiccup any more. */
const failuresInARow = 4;
const overdueSeconds = 1_800;

/** What is so now and needs somebody. Pure: the same facts, the same alerts. */
export function conditionsOf(facts: AlertFacts, { slaMs }: { slaMs: number }): Alert[] {
  return [
    ...facts.held.map(
      ({ plan, email, reasons }): Alert => ({
        key: `hold:${plan}`,
        kind: 'hold',
        title: `A plan for ${email ?? 'somebody'} waits for an answer: ${reasons.join('; ') || 'the account’s mode is approve'}`,
        remedy: `sendoff plans show ${plan}, then approve or reject`,
      }),
    ),
    ...facts.unfinished.flatMap(({ event, email, ageMs }) => slaAlert(event, email, ageMs, slaMs)),
    ...facts.failed.map(
      ({ action, account, email, error }): Alert => ({
        key: `failed:${action}`,
        kind: 'failed',
        title: `An action for ${email ?? 'somebody'} in ${account} failed: ${error ?? 'for an unknown reason'}`,
        remedy: 'sendoff actions list --state failed; correct what the error names, then sendoff events replay',
      }),
    ),
    ...facts.breakers.map(
      ({ account, reason }): Alert => ({
        key: `breaker:${account}`,
        kind: 'breaker',
        title: `SendGrid refuses the key of ${account}: ${reason}`,
        remedy: `put a valid key into accounts.${account}.apiKey and restart`,
      }),
    ),
    ...facts.tasks
      .filter(({ failures }) => failures >= failuresInARow)
      .map(
        ({ source, task, error }): Alert => ({
          key: `source:${source}:${task}`,
          kind: 'source',
          title: `${source} can't be asked for ${task}: ${error ?? 'it does not answer'}`,
          remedy: 'sendoff doctor',
        }),
      ),
    ...facts.silent.map(
      ({ source, days }): Alert => ({
        key: `silent:${source}`,
        kind: 'source',
        title: `${source} has said nothing for ${days} days: silence may be breakage`,
        remedy: 'sendoff subscriptions list; sendoff doctor',
      }),
    ),
    ...facts.quarantined.map(
      ({ source, count, reason }): Alert => ({
        key: `quarantined:${source}`,
        kind: 'source',
        title: `${count} ${count === 1 ? 'event' : 'events'} of ${source} lie in quarantine, the last because: ${reason}`,
        remedy: 'sendoff events list --state quarantined',
      }),
    ),
    ...facts.subscriptions.flatMap(subscriptionAlert),
  ];
}

function slaAlert(event: string, email: string | null, ageMs: number, slaMs: number): Alert[] {
  if (ageMs < slaMs / 2) return [];
  const minutes = Math.round(ageMs / 60_000);
  const who = email ?? 'Somebody who left';
  const remedy = `sendoff events show ${event}`;
  if (ageMs >= slaMs) {
    const title = `${who} still has access after ${minutes} min: the promise is broken`;
    return [{ key: `sla-breached:${event}`, kind: 'sla-breached', title, remedy }];
  }
  const title = `${who} still has access after ${minutes} min, more than half of the time promised`;
  return [{ key: `sla-at-risk:${event}`, kind: 'sla-at-risk', title, remedy }];
}

function subscriptionAlert({ id, source, kind, secondsLeft, problem }: AlertFacts['subscriptions'][number]): Alert[] {
  // All are renewed at half of their life: one that is this close to its end was not.
  const isOverdue = secondsLeft !== null && secondsLeft < overdueSeconds;
  if (problem === null && !isOverdue) return [];
  const title = `The subscription of ${source} to ${kind} ${problem ?? 'is about to end and was not renewed'}`;
  return [{ key: `subscription:${id}`, kind: 'subscription', title, remedy: 'sendoff subscriptions ensure' }];
}
