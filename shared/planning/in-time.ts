import { setTimeout as sleep } from 'node:timers/promises';
import { WaitError } from '#shared/errors.js';

/** Once one of several places has answered, the others are waited for this long; one that was late the last time, less. */
const patienceMs = { usual: 1_500, known: 100 };
const askAgainMs = { usual: 2_000, known: 30_000 };

/** Several places asked at once. @throws WaitError for one that keeps the others waiting; its answer is not lost to whoever shares it */
export type Round = <T>(place: string, ask: () => Promise<T>) => Promise<T>;

/** One place that hangs must not hold up what is to be done in the others. */
export interface InTime {
  round(): Round;
}

export function createInTime(): InTime {
  /** Places that did not answer in time, and have not answered since. */
  const late = new Set<string>();
  const underWay = new Map<string, number>();
  const count = (place: string, by: number) => underWay.set(place, (underWay.get(place) ?? 0) + by);
  const lateError = (place: string, delayMs: number) =>
    new WaitError(`${place} has not answered yet; the others were not to wait for it`, delayMs, {
      code: 'PLACE_LATE',
      blame: 'remote',
    });

  return {
    round() {
      let begin = (): void => undefined;
      const answered = new Promise<void>((resolve) => {
        begin = resolve;
      });
      return async (place, ask) => {
        // Whoever asks behind a question that hangs would hang as well.
        if (late.has(place) && (underWay.get(place) ?? 0) > 0) throw lateError(place, askAgainMs.known);
        count(place, 1);
        const asking = ask()
          .then((answer) => {
            late.delete(place);
            begin();
            return answer;
          })
          .finally(() => count(place, -1));
        const settled = new AbortController();
        const kind = late.has(place) ? 'known' : 'usual';
        const limit = answered
          .then(() => sleep(patienceMs[kind], undefined, { signal: settled.signal }))
          .then(() => {
            late.add(place);
            throw lateError(place, askAgainMs[kind]);
          });
        return Promise.race([asking, limit]).finally(() => settled.abort());
      };
    },
  };
}
