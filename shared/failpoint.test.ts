import { describe, expect, it } from 'vitest';
import { ConfigError } from '#shared/config/config-error.js';
import { readEnvironment } from '#shared/config/environment.js';
import { armFailpoint, failpoint, failpoints, parseFailpoint } from './failpoint.js';

const inTests = { SENDOFF_ENV: 'test', SENDOFF_FAILPOINT: 'intake.after_commit:kill' };

describe('failpoints', () => {
  it.each([
    ['intake.after_commit:kill', { name: 'intake.after_commit', what: { kind: 'kill' }, passing: null }],
    ['relay.after_add:stop:3', { name: 'relay.after_add', what: { kind: 'stop' }, passing: 3 }],
    [
      'action.before_act:block:60000',
      { name: 'action.before_act', what: { kind: 'block', ms: 60_000 }, passing: null },
    ],
    ['action.before_act:block:10:2', { name: 'action.before_act', what: { kind: 'block', ms: 10 }, passing: 2 }],
  ])('understands %s', (text, order) => {
    expect(parseFailpoint(text)).toEqual(order);
  });

  it.each([
    '',
    'kill',
    'intake.after_commit',
    'intake.after_commit:block',
    'no.such_point:kill',
    'relay.after_add:die',
  ])('refuses "%s" in words', (text) => {
    expect(parseFailpoint(text)).toBeNull();
    if (text !== '') expect(() => readEnvironment({ ...inTests, SENDOFF_FAILPOINT: text })).toThrow(ConfigError);
  });

  it('reach the process in tests alone: refused without SENDOFF_ENV=test, and under NODE_ENV=production all the same', () => {
    expect(readEnvironment(inTests).failpoint).toBe(inTests.SENDOFF_FAILPOINT);
    expect(() => readEnvironment({ ...inTests, NODE_ENV: 'production' })).toThrow(ConfigError);
    expect(() => readEnvironment({ ...inTests, SENDOFF_ENV: 'production' })).toThrow(ConfigError);
    expect(() => readEnvironment({ SENDOFF_FAILPOINT: inTests.SENDOFF_FAILPOINT })).toThrow(ConfigError);
  });

  it('do nothing unless armed, and then at the one passing that was named', () => {
    const blocks = (name: (typeof failpoints)[number]) => {
      const began = performance.now();
      failpoint(name);
      return performance.now() - began >= 40;
    };
    expect(failpoints.map(blocks)).not.toContain(true);
    armFailpoint('action.before_act:block:50:2');
    expect([blocks('action.before_act'), blocks('action.after_act'), blocks('action.before_act')]).toEqual([
      false,
      false,
      true,
    ]);
    expect(blocks('action.before_act')).toBe(false);
    armFailpoint(null);
  });
});
