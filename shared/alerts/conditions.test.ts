import { describe, expect, it } from 'vitest';
import { type AlertFacts, conditionsOf } from './conditions.js';
import { messageOf } from './message.js';

const quiet: AlertFacts = {
  held: [],
  unfinished: [],
  failed: [],
  breakers: [],
  tasks: [],
  silent: [],
  quarantined: [],
  subscriptions: [],
};
const keys = (facts: Partial<AlertFacts>) =>
  conditionsOf({ ...quiet, ...facts }, { slaMs: 15 * 60_000 }).map(({ key }) => key);
const minutes = (n: number) => n * 60_000;
const subscription = { id: 's', source: 'entra', kind: 'users', problem: null };
const task = { source: 'okta', task: 'system-log', error: 'it is down' };

describe('what needs somebody', () => {
  it.each<[string, Partial<AlertFacts>, string[]]>([
    ['nothing', {}, []],
    ['a held plan', { held: [{ plan: 'p', email: 'a@acme.com', reasons: [] }] }, ['hold:p']],
    ['a leaver within half the time', { unfinished: [{ event: 'e', email: null, ageMs: minutes(7) }] }, []],
    ['a leaver past half of it', { unfinished: [{ event: 'e', email: null, ageMs: minutes(8) }] }, ['sla-at-risk:e']],
    ['a leaver past all of it', { unfinished: [{ event: 'e', email: null, ageMs: minutes(15) }] }, ['sla-breached:e']],
    ['an action that failed', { failed: [{ action: 'a', account: 'm', email: null, error: null }] }, ['failed:a']],
    ['a refused key', { breakers: [{ account: 'm', reason: '401' }] }, ['breaker:m']],
    ['a source that failed thrice', { tasks: [{ ...task, failures: 3 }] }, []],
    ['a source that fails on and on', { tasks: [{ ...task, failures: 4 }] }, ['source:okta:system-log']],
    ['what lies in quarantine', { quarantined: [{ source: 'ssf', count: 1, reason: 'r' }] }, ['quarantined:ssf']],
    ['a silent source', { silent: [{ source: 'okta', days: 8 }] }, ['silent:okta']],
    ['a subscription with hours to go', { subscriptions: [{ ...subscription, secondsLeft: 7_200 }] }, []],
    ['one that never ends', { subscriptions: [{ ...subscription, secondsLeft: null }] }, []],
    ['one that nobody renewed', { subscriptions: [{ ...subscription, secondsLeft: 600 }] }, ['subscription:s']],
    [
      'one that is broken',
      { subscriptions: [{ ...subscription, secondsLeft: 7_200, problem: 'is gone' }] },
      ['subscription:s'],
    ],
  ])('%s', (_, facts, expected) => {
    expect(keys(facts)).toEqual(expected);
  });
});

describe('a message', () => {
  const alert = (kind: 'hold' | 'sla-breached', n: number) => ({
    key: `${kind}${n}`,
    kind,
    title: `${kind} ${n}`,
    remedy: 'do it',
  });

  it('begins with what is most urgent, and says how much there is of each', () => {
    const { subject, lines } = messageOf([alert('hold', 1), alert('hold', 2), alert('sla-breached', 3)], 'https://s');
    expect(subject).toBe('Sendoff: 1 too late, 2 waiting for an answer');
    expect(lines[0]).toBe('• sla-breached 3');
    expect(lines.at(-1)).toBe('https://s');
  });

  it('names twenty at the most', () => {
    const { lines } = messageOf(
      Array.from({ length: 50 }, (_, i) => alert('hold', i)),
      null,
    );
    expect(lines.filter((line) => line.startsWith('•'))).toHaveLength(20);
    expect(lines.at(-1)).toBe('… and 30 more');
  });
});
