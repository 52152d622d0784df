/**
 * All who were told at once that something changed ask at once. Whoever asks while a reading is under way gets the next
 * one, together with everybody else who does: that one shows what they were told of.
 */
export function shareReading<T>(ask: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null;
  let next: Promise<T> | null = null;
  const begin = (): Promise<T> => {
    const answer = ask().finally(() => {
      running = null;
    });
    running = answer;
    return answer;
  };
  return () => {
    if (running === null) return begin();
    const before = running.catch(() => undefined);
    next ??= before.then(() => {
      next = null;
      return begin();
    });
    return next;
  };
}
