import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { walkPages } from './pages.js';

/** A list on the other side: how it answers, and what happens to it between the calls. */
function remote(size: number, { serves = 500, answer = (items: string[], _call: number): string[] => items } = {}) {
  const items = Array.from({ length: size }, (_, index) => `u${index}`);
  const state = {
    items,
    calls: 0,
    async read({ limit, offset }: { limit: number; offset: number }) {
      state.calls += 1;
      return answer(state.items.slice(offset, offset + Math.min(limit, serves)), state.calls);
    },
  };
  return state;
}

const walk = (list: ReturnType<typeof remote>) =>
  walkPages(
    'the list',
    (page) => list.read(page),
    (item) => item,
  );

describe('walkPages', () => {
  it.each([0, 1, 49, 50, 51, 120, 499, 500, 501, 998, 999, 1_000, 1_001, 1_499, 1_500, 2_345])(
    'gives all of %i in at most ceil(N/500)+1 calls',
    async (size) => {
      const list = remote(size);
      expect(await walk(list)).toEqual(list.items);
      expect(list.calls).toBeLessThanOrEqual(Math.ceil(size / 500) + 1);
    },
  );

  it.each([1, 2, 7, 49, 50, 99])(
    'is not taken in by a server that gives %i per page whatever is asked',
    async (serves) => {
      for (const size of [serves - 1, serves, serves + 1, serves * 2 - 1, serves * 2, serves * 2 + 1, serves * 3 + 1]) {
        const list = remote(size, { serves });
        expect(await walk(list)).toEqual(list.items);
      }
    },
  );

  it('gives all whatever single page comes short or without an item', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 1_400 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(),
        async (size, call, drop) => {
          const faulty = remote(size, {
            answer: (items, now) =>
              now === call && items.length > 1 ? items.filter((_, index) => index !== drop % items.length) : items,
          });
          expect((await walk(faulty)).sort()).toEqual([...faulty.items].sort());
          const short = remote(size, {
            answer: (items, now) => (now === call ? items.slice(0, Math.max(1, drop % 500)) : items),
          });
          expect((await walk(short)).sort()).toEqual([...short.items].sort());
        },
      ),
      { numRuns: 300 },
    );
  });

  it('loses nobody who stayed while others are deleted during the walk', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 506, max: 990 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 2 }),
        async (size, victims, after) => {
          const list = remote(size);
          const read = async (page: { limit: number; offset: number }) => {
            const got = await list.read(page);
            if (list.calls === after) for (const victim of victims) list.items.splice(victim % list.items.length, 1);
            return got;
          };
          const seen = await walkPages('the list', read, (item: string) => item);
          expect(list.items.filter((item) => !seen.includes(item))).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('takes a list that knows no offset for what it gives', async () => {
    const read = async () => ['a', 'b'];
    expect(await walkPages('the list', read, (item) => item)).toEqual(['a', 'b']);
  });

  it('throws instead of giving a part when pages contradict each other every time', async () => {
    const list = remote(300, { answer: (items) => items.filter((item) => item !== 'u0') });
    await expect(walk(list)).rejects.toMatchObject({ code: 'SENDGRID_GARBAGE', sent: false });
  });

  it('throws when the list never ends', async () => {
    let next = 0;
    const read = async () => {
      next += 1;
      return [`u${next}`];
    };
    await expect(walkPages('the list', read, (item: string) => item)).rejects.toMatchObject({
      code: 'SENDGRID_GARBAGE',
    });
  });
});
