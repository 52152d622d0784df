import { afterAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '#test/support/database.js';
import { knownSubscriptions, saveSubscription } from './subscriptions.js';

const database = await createTestDatabase();
const { db } = database;
afterAll(() => database.drop());

const stream = { kind: 'stream', resourceId: null, expiresAt: null, problem: null };

describe('shared/store/subscriptions: what receivers know', () => {
  it('is found a moment after it was made, though somebody was just refused', async () => {
    const known = knownSubscriptions(db, 'ssf');
    const isIt = ({ remoteId }: { remoteId: string | null }) => remoteId === 'made now';
    expect(await known(isIt)).toEqual([]);
    await saveSubscription(db, 'ssf', { ...stream, remoteId: 'made now' });
    expect((await known(isIt)).some(isIt)).toBe(true);
  });

  it('is looked for a few times a second at the most, however many ask for what is not there', async () => {
    let reads = 0;
    const counting = new Proxy(db, {
      get(target, key) {
        if (key === 'selectFrom') reads += 1;
        const value = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const known = knownSubscriptions(counting, 'ssf');
    for (let round = 0; round < 3; round += 1) await Promise.all(Array.from({ length: 50 }, () => known(() => false)));
    expect(reads).toBe(3);
  });
});
