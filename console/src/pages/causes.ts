import type { Action, Event, PersonRef } from '../api/types.ts';

export interface Failure {
  key: string;
  person: PersonRef | null;
  state: string;
  what: string;
  at: string;
  /** What to look up to plan the person anew; null: nobody is named. */
  retry: { kind: 'event'; id: string } | { kind: 'plan'; id: string } | null;
}

export type Retryable = Failure & { retry: NonNullable<Failure['retry']> };

export interface Cause {
  text: string;
  failures: Failure[];
}

/** Failures by cause, the most frequent first. Numbers and ids differ from one to the next; the cause does not. */
export function causesOf(actions: Action[], events: Event[]): Cause[] {
  const groups = new Map<string, Failure[]>();
  const add = (text: string, failure: Failure) => groups.set(text, [...(groups.get(text) ?? []), failure]);
  for (const { id, planId, person, state, kind, footprint, account, lastError, createdAt, finishedAt } of actions) {
    add(`${account}: ${general(lastError ?? 'no error was kept').replace(`SendGrid ${account}: `, '')}`, {
      key: `action ${id}`,
      person,
      state,
      what: `${kind} ${footprint}`,
      at: finishedAt ?? createdAt,
      retry: { kind: 'plan', id: planId },
    });
  }
  for (const { id, source, person, state, type, reason, lastError, receivedAt } of events) {
    add(`${source}: ${general(lastError ?? reason ?? 'no reason was kept')}`, {
      key: `event ${id}`,
      person,
      state,
      what: type ?? 'event',
      at: receivedAt,
      retry: person === null ? null : { kind: 'event', id },
    });
  }
  return [...groups]
    .map(([text, failures]) => ({ text, failures }))
    .sort((a, b) => b.failures.length - a.failures.length);
}

function general(text: string): string {
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/gi, '…')
    .replace(/[^\s@]+@[^\s@]+\.[a-z]+/gi, '…')
    .replace(/\d{4,}/g, '…');
}
