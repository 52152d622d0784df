import type { Alert, AlertKind } from './alert.js';

/** One message tells of so many things by name; of the rest it gives the number. */
const namedAtMost = 20;

export interface Message {
  subject: string;
  lines: string[];
}

const words: Record<AlertKind, string> = {
  hold: 'waiting for an answer',
  'sla-at-risk': 'late',
  'sla-breached': 'too late',
  failed: 'failed',
  breaker: 'account refused',
  source: 'source in trouble',
  subscription: 'subscription in trouble',
  weekly: 'the week',
};

/** Several alerts as one message, the most urgent first. */
export function messageOf(alerts: readonly Alert[], link: string | null): Message {
  const order = Object.keys(words);
  const urgent = ['sla-breached', 'breaker', 'failed', 'sla-at-risk'];
  const rank = ({ kind }: Alert) =>
    urgent.includes(kind) ? urgent.indexOf(kind) : urgent.length + order.indexOf(kind);
  const sorted = [...alerts].sort((a, b) => rank(a) - rank(b));
  const counts = new Map<AlertKind, number>();
  for (const { kind } of sorted) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const summary = [...counts].map(([kind, count]) => `${count} ${words[kind]}`).join(', ');
  const named = sorted
    .slice(0, namedAtMost)
    .flatMap(({ title, remedy }) => [`• ${title}`, ...(remedy === '' ? [] : [`  → ${remedy}`])]);
  const more = sorted.length > namedAtMost ? [`… and ${sorted.length - namedAtMost} more`] : [];
  return { subject: `Sendoff: ${summary}`, lines: [...named, ...more, ...(link === null ? [] : ['', link])] };
}
