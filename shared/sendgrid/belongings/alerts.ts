import { z } from 'zod';
import { unlessAbsent } from '../absence.js';
import type { SendGridClient } from '../client.js';
import type { BelongingNoun, BelongingState } from './belonging.js';
import { carried, distinct, isEmpty, successorOf } from './carry.js';

const item = z.object({
  id: z.union([z.int().transform(String), z.string().min(1)]),
  type: z.string().nullish(),
  email_to: z.string().nullish(),
  frequency: z.string().nullish(),
  percentage: z.number().nullish(),
});
const list = z.array(item);

type Alert = z.infer<typeof item>;

/** Mail about usage and statistics (sendgrid.md §8). */
export const alerts: BelongingNoun = {
  async list(client) {
    const all = await unlessAbsent([], () => client.call({ method: 'GET', path: '/v3/alerts', answer: list }));
    return all.map((alert) => ({
      kind: 'alert',
      id: alert.id,
      label: labelOf(alert),
      addresses: distinct([alert.email_to]),
    }));
  },

  async look(client, id, from) {
    return stateOf(await get(client, id), from);
  },

  async act(client, id, from, to, step) {
    const alert = await get(client, id);
    const state = stateOf(alert, from);
    if (alert === null || state.kind !== 'carries' || state.step !== step) return;
    const email_to = successorOf(client, 'alert', from, to);
    // How often goes along: left out, it is not sure to stay.
    const rhythm = {
      ...(alert.frequency ? { frequency: alert.frequency } : {}),
      ...(typeof alert.percentage === 'number' ? { percentage: alert.percentage } : {}),
    };
    const body = { email_to, ...rhythm };
    await client.call({ method: 'PATCH', path: '/v3/alerts/{id}', params: { id }, body, answer: null });
  },
};

function get(client: SendGridClient, id: string): Promise<Alert | null> {
  return unlessAbsent(null, () =>
    client.call({ method: 'GET', path: '/v3/alerts/{id}', params: { id }, answer: item }),
  );
}

function stateOf(alert: Alert | null, from: ReadonlySet<string>): BelongingState {
  const fields = carried({ email_to: alert?.email_to }, from);
  return isEmpty(fields) ? { kind: 'clear' } : { kind: 'carries', fields, step: 'change' };
}

function labelOf({ type, frequency, percentage }: Alert): string {
  if (type === 'usage_limit') return `alert at ${percentage ?? '?'} % of the credits`;
  return type === 'stats_notification' ? `${frequency ?? 'regular'} statistics mail` : `alert ${type ?? ''}`.trim();
}
