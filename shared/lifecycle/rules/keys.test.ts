import { describe, expect, it } from 'vitest';
import { policy, roster, situation } from '#test/support/situation.js';
import { plan } from '../plan.js';
import type { Situation } from '../situation.js';
import type { ApiKey, Policy, RegisteredKey, Roster } from '../types.js';
import { namePatterns } from './keys.js';

const key = (name: string, more: Partial<ApiKey> = {}): ApiKey => ({ subuser: null, id: `id-${name}`, name, ...more });
const entry = (id: string, owner: string, more: Partial<RegisteredKey> = {}): RegisteredKey => ({
  account: 'marketing',
  subuser: null,
  id,
  name: 'as registered',
  owner,
  onLeave: null,
  ...more,
});

interface Case {
  keys: ApiKey[];
  register?: RegisteredKey[];
  apiKeys?: Partial<Policy['offboarding']['apiKeys']>;
  roster?: Partial<Roster>;
  situation?: Partial<Situation>;
}

function planned({ keys, register = [], apiKeys = {}, ...more }: Case) {
  const { offboarding } = policy();
  const p = policy({ offboarding: { ...offboarding, apiKeys: { ...offboarding.apiKeys, ...apiKeys } } });
  const s = situation('inactive', [roster('marketing', [], { keys, ...more.roster })], {
    registeredKeys: register,
    successor: { email: 'kim@acme.com', why: 'kim@acme.com is their manager' },
    ...more.situation,
  });
  return plan(s, p);
}
const lines = (one: Case) => planned(one).actions.map((action) => `${action.kind} ${action.target}`);
const tasks = (one: Case) => planned(one).todos.map(({ text }) => text);
const revoking = { action: 'revoke' as const };
const unattributed = 'no known owner';

describe('a key that the register says is theirs', () => {
  const mine = { keys: [key('prod')], register: [entry('id-prod', 'jane@acme.com')] };

  it('is revoked, or handed to the successor: as the policy says', () => {
    expect(planned({ ...mine, apiKeys: { registered: 'revoke' } }).actions).toMatchObject([
      {
        kind: 'revoke',
        footprint: 'api-key',
        target: 'id-prod',
        label: 'prod',
        email: 'jane@acme.com',
        reason: 'The directory says the person is deactivated; the key register says it is theirs',
      },
    ]);
    expect(planned({ ...mine, apiKeys: { registered: 'successor' } }).actions).toMatchObject([
      {
        kind: 'hand-over',
        target: 'id-prod',
        to: 'kim@acme.com',
        reason: 'The directory says the person is deactivated; kim@acme.com is their manager',
      },
    ]);
  });

  it('its own line in the register stands above the policy', () => {
    const onLeave = (what: 'revoke' | 'successor') => [entry('id-prod', 'jane@acme.com', { onLeave: what })];
    expect(lines({ ...mine, register: onLeave('successor') })).toEqual(['hand-over id-prod']);
    expect(lines({ ...mine, register: onLeave('revoke'), apiKeys: { registered: 'successor' } })).toEqual([
      'revoke id-prod',
    ]);
  });

  it('is a task for the operator when nobody takes it over', () => {
    const nobody = { successor: { email: null, why: 'offboarding.successor is none' } };
    const one = { ...mine, apiKeys: { registered: 'successor' as const }, situation: nobody };
    expect(lines(one)).toEqual([]);
    expect(tasks(one)).toEqual([
      'API key “prod” (id-prod) is theirs by the register and nobody takes it over: offboarding.successor is none',
    ]);
    expect(lines({ ...mine, situation: nobody })).toEqual(['revoke id-prod']);
  });

  it('is theirs by every address of theirs, in any case', () => {
    const person = { id: 'p', directoryId: 'd', emails: ['jane@acme.com', 'JD@acme.com'], links: [] };
    const one = { keys: [key('prod')], register: [entry('id-prod', 'jd@acme.com')], situation: { person } };
    expect(lines(one)).toEqual(['revoke id-prod']);
  });

  it('is one key of one place: the same id in a subuser or another account is another', () => {
    for (const other of [{ subuser: 'eu' }, { account: 'billing' }]) {
      const one = { keys: [key('prod')], register: [entry('id-prod', 'jane@acme.com', other)] };
      expect(lines(one)).toEqual([]);
      expect(tasks(one).join()).toContain(unattributed);
    }
    const inside = {
      keys: [key('prod', { subuser: 'eu' })],
      register: [entry('id-prod', 'jane@acme.com', { subuser: 'eu' })],
    };
    expect(planned(inside).actions).toMatchObject([{ subuser: 'eu', target: 'id-prod' }]);
  });

  it('and is gone already is nothing to do', () => {
    expect(planned({ keys: [], register: mine.register })).toMatchObject({ actions: [], todos: [] });
  });
});

describe('the register stands above the name', () => {
  it('a key of somebody else is left alone and not even named, whatever it is called', () => {
    const one = { keys: [key('jane-laptop')], register: [entry('id-jane-laptop', 'kim@acme.com')], apiKeys: revoking };
    expect(planned(one)).toMatchObject({ actions: [], todos: [] });
  });

  it('a key of theirs is treated as registered, not as matched', () => {
    const one = { keys: [key('jane-laptop')], register: [entry('id-jane-laptop', 'jane@acme.com')] };
    expect(lines(one)).toEqual(['revoke id-jane-laptop']);
    expect(tasks(one)).toEqual([]);
  });
});

describe('a key whose name matches', () => {
  it('is reported, or revoked when the policy says so', () => {
    const one = { keys: [key('jane-laptop')] };
    expect(lines(one)).toEqual([]);
    expect(tasks(one)).toEqual([
      'API key “jane-laptop” (id-jane-laptop) looks like theirs by its name: replace and revoke it, or adopt it (sendoff keys adopt)',
    ]);
    expect(planned({ ...one, apiKeys: revoking })).toMatchObject({
      actions: [{ kind: 'revoke', reason: expect.stringContaining('its name matches offboarding.apiKeys.match') }],
      todos: [],
    });
  });

  it.each([
    ['jane-laptop', true],
    ['JANE laptop', true],
    ['jane_x', true],
    ['janet-laptop', false],
    ['my jane-laptop', false],
    ['jane', false],
  ])('by the usual pattern, %s: %s', (name, matches) => {
    expect(lines({ keys: [key(name)], apiKeys: revoking })).toEqual(matches ? [`revoke id-${name}`] : []);
  });

  it('the part before the @ is taken literally: no letter of it means anything else', () => {
    const [pattern] = namePatterns('^{local}[-_. ]', ['a.b+c@acme.com']);
    expect(pattern?.test('a.b+c-laptop')).toBe(true);
    for (const name of ['axb+c-laptop', 'a.bbc-laptop', 'a.bb+c-laptop', 'a.bc-laptop']) {
      expect(pattern?.test(name)).toBe(false);
    }
    for (const local of ['(', '[a', 'a|b', '^$', '{3}', 'a\\d', '*']) {
      const [one] = namePatterns('^{local}$', [`${local}@acme.com`]);
      expect(one?.test(local)).toBe(true);
      expect(one?.test('a')).toBe(false);
      expect(one?.test('')).toBe(false);
    }
  });

  it('also when it holds what a replacement would understand', () => {
    for (const local of ['$&', "$'x", 'a$`b']) {
      expect(namePatterns('^{local}$', [`${local}@acme.com`])[0]?.test(local)).toBe(true);
    }
  });

  it('is looked for once for each of their names, and for none that is empty', () => {
    const emails = ['jane@acme.com', 'JANE@acme.co', 'jd@acme.com', '@acme.com', ''];
    expect(namePatterns('^{local}-', emails).map(({ source }) => source)).toEqual(['^jane-', '^jd-']);
  });
});

describe('never', () => {
  it('the configured key itself: not by name, not by the register, and it is not unattributed either', () => {
    const own = { roster: { ownKeyId: 'id-jane-sendoff' }, apiKeys: revoking };
    expect(planned({ keys: [key('jane-sendoff')], ...own })).toMatchObject({ actions: [], todos: [] });
    const register = [entry('id-jane-sendoff', 'jane@acme.com')];
    expect(planned({ keys: [key('jane-sendoff')], register, ...own })).toMatchObject({ actions: [], todos: [] });
    expect(planned({ keys: [key('jane-sendoff', { subuser: 'eu' })], ...own })).toMatchObject({
      actions: [],
      todos: [],
    });
  });

  it('a protected person’s', () => {
    const p = policy({ protect: ['jane@acme.com'] });
    const s = situation('inactive', [roster('marketing', [], { keys: [key('prod')] })], {
      registeredKeys: [entry('id-prod', 'jane@acme.com')],
    });
    expect(plan(s, p)).toMatchObject({ actions: [], refused: [{ rule: 'protected', target: 'id-prod' }] });
  });

  it('without a human, when an address of theirs is somebody else’s too', () => {
    const one = {
      keys: [key('prod')],
      register: [entry('id-prod', 'jane@acme.com')],
      situation: { sharedAddresses: ['jane@acme.com'] },
    };
    expect(planned(one).holds).toMatchObject([{ rule: 'ambiguous', target: 'id-prod' }]);
  });
});

describe('keys without an owner', () => {
  it('are counted, those that are attributed to anybody left out', () => {
    const keys = [key('jane-laptop'), key('prod'), key('ci'), key('cron', { subuser: 'eu' })];
    const register = [entry('id-prod', 'kim@acme.com')];
    expect(tasks({ keys, register })).toEqual([
      expect.stringContaining('“jane-laptop”'),
      '2 API keys have no known owner and may be theirs: sendoff keys list --account marketing --unattributed',
    ]);
    expect(tasks({ keys: [key('ci')] })).toEqual([expect.stringMatching(/^1 API key has no known owner/)]);
  });

  it('are named to nobody when nobody leaves', () => {
    const s = situation('suspended', [roster('marketing', [], { keys: [key('ci')] })]);
    expect(plan(s, policy()).todos).toEqual([]);
  });
});
