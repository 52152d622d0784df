import { describe, expect, it } from 'vitest';
import { createEventTypes } from './event-types.js';

const day = 24 * 60 * 60_000;

function setUp() {
  const api = { calls: 0, answer: [{ id: 532, name: 'USER_SUSPENDED' }] as unknown[], isAway: false, now: 0 };
  const types = createEventTypes(
    {
      list: async () => {
        api.calls += 1;
        if (api.isAway) throw new Error('away');
        return api.answer;
      },
    },
    () => api.now,
  );
  return { api, types };
}

describe('producers/onelogin/event-types', () => {
  it('knows nothing at first, and never waits', async () => {
    const { types } = setUp();
    expect(types.known()).toBeNull();
    expect(await types.loaded()).toEqual(new Map([[532, 'USER_SUSPENDED']]));
    expect(types.known()?.get(532)).toBe('USER_SUSPENDED');
  });

  it('asks once a day', async () => {
    const { api, types } = setUp();
    await Promise.all([types.loaded(), types.loaded()]);
    api.now = day - 1;
    await types.loaded();
    expect(api.calls).toBe(1);
    api.now = day;
    api.answer = [{ id: 532, name: 'USER_LOCKED' }];
    expect((await types.loaded())?.get(532)).toBe('USER_LOCKED');
    expect(api.calls).toBe(2);
  });

  it('keeps the old table while there is no new one, and does not ask all the time', async () => {
    const { api, types } = setUp();
    await types.loaded();
    api.isAway = true;
    api.now = day;
    for (let i = 0; i < 5; i += 1) expect((await types.loaded())?.get(532)).toBe('USER_SUSPENDED');
    expect(api.calls).toBe(2);
    api.isAway = false;
    api.answer = [];
    api.now += 5 * 60_000;
    expect((await types.loaded())?.get(532)).toBe('USER_SUSPENDED');
    expect(api.calls).toBe(3);
  });

  it('one row that can’t be read does not cost the others', async () => {
    const { api, types } = setUp();
    api.answer = [{ id: 'x' }, null, { id: 17, name: 'DELETED_USER' }];
    expect(await types.loaded()).toEqual(new Map([[17, 'DELETED_USER']]));
  });
});
