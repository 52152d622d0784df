import { beforeAll, describe, expect, it } from 'vitest';
import { createSigningKey, type SigningKey } from '#test/emulators/ssf/signer.js';
import { keysOf } from './keys.js';

let old: SigningKey;
let fresh: SigningKey;
beforeAll(async () => {
  [old, fresh] = await Promise.all([createSigningKey('old', 'ES256'), createSigningKey('new', 'ES256')]);
});

/** Keys of a transmitter that counts how often it is asked. */
function transmitter(...shown: SigningKey[]) {
  const state = { shown, asked: 0, isAway: false, now: 0 };
  const find = keysOf(
    async () => {
      state.asked += 1;
      if (state.isAway) throw new Error('away');
      return { keys: state.shown.map(({ publicJwk }) => publicJwk) };
    },
    () => state.now,
  );
  return { state, find: (kid: string, alg = 'ES256') => find({ kid, alg }) };
}

const key = { type: 'public' };

describe('producers/ssf/keys', () => {
  it('asks once for many, even at the same moment', async () => {
    const { state, find } = transmitter(old);
    await Promise.all(Array.from({ length: 50 }, () => find('old')));
    state.now = 9 * 60_000;
    expect(await find('old')).toMatchObject(key);
    expect(state.asked).toBe(1);
  });

  it('a key that was rotated in a moment ago is found at once', async () => {
    const { state, find } = transmitter(old);
    await find('old');
    state.shown = [fresh, old];
    state.now = 10;
    expect(await find('new')).toMatchObject(key);
    expect(await find('old')).toMatchObject(key);
    expect(state.asked).toBe(2);
  });

  it('a key that was taken away is no longer believed once the keys are read again', async () => {
    const { state, find } = transmitter(old, fresh);
    await find('old');
    state.shown = [fresh];
    state.now = 11 * 60_000;
    expect(await find('old')).toBe('unknown');
  });

  it('made-up kids drive it to one question in half a minute, and refuse nothing that may be real', async () => {
    const { state, find } = transmitter(old);
    await find('old');
    expect(await find('made-up-1')).toBe('unknown');
    expect(await find('made-up-2')).toBe('unknown');
    state.now = 20_000;
    expect(await find('made-up-3')).toBe('unsure');
    expect(state.asked).toBe(2);
    state.now = 31_000;
    expect(await find('made-up-3')).toBe('unknown');
    expect(state.asked).toBe(3);
  });

  it('with the transmitter away: throws at first, then can’t tell, and recovers', async () => {
    const { state, find } = transmitter(old);
    state.isAway = true;
    await expect(find('old')).rejects.toThrow('away');
    expect(await find('old')).toBe('unsure');
    expect(state.asked).toBe(1);
    state.isAway = false;
    state.now = 2_000;
    expect(await find('old')).toMatchObject(key);
  });

  it('never takes a failure to ask for an answer about a kid', async () => {
    const { state, find } = transmitter(old);
    await find('old');
    state.isAway = true;
    await expect(find('new')).rejects.toThrow('away');
    state.now = 1;
    expect(await find('new')).toBe('unsure');
  });

  it('old keys serve an hour while the transmitter is away, then no longer', async () => {
    const { state, find } = transmitter(old);
    await find('old');
    state.isAway = true;
    state.now = 30 * 60_000;
    expect(await find('old')).toMatchObject(key);
    state.now = 61 * 60_000;
    await expect(find('old')).rejects.toThrow('away');
  });

  it('two keys of one kid are none', async () => {
    const { find } = transmitter(old, await createSigningKey('old', 'ES256'));
    expect(await find('old')).toBe('unknown');
  });
});
