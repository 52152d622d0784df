import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet } from 'jose';

/** So old, keys are asked for anew; if that fails, they serve a while longer. */
const freshMs = 10 * 60_000;
const usableMs = 60 * 60_000;
/** An unknown kid makes us ask once in this time, whoever sends it. */
const askAgainMs = 30_000;
/** For so long, what an unknown kid made us read settles every other. */
const settledMs = 5_000;
/** After a failure. */
const failedPauseMs = 1_000;

export type FindKey = (header: { kid: string; alg: string }) => Promise<CryptoKey | 'unknown' | 'unsure'>;

/**
 * The transmitter's public keys, kept at hand. 'unsure' is what a kid is that we may not ask for yet: to refuse it would
 * lose the event, for nobody sends a refused one again.
 * @param now milliseconds that never go back
 */
export function keysOf(fetchSet: () => Promise<JSONWebKeySet>, now: () => number = () => performance.now()): FindKey {
  let held: { pick: ReturnType<typeof createLocalJWKSet>; at: number } | null = null;
  let loading: Promise<void> | null = null;
  let failedAt = Number.NEGATIVE_INFINITY;
  let askedForUnknownAt = Number.NEGATIVE_INFINITY;
  let settledAt = Number.NEGATIVE_INFINITY;

  const load = (): Promise<void> => {
    loading ??= fetchSet()
      .then((set) => {
        held = { pick: createLocalJWKSet(set), at: now() };
      })
      .catch((error: unknown) => {
        failedAt = now();
        throw error;
      })
      .finally(() => {
        loading = null;
      });
    return loading;
  };
  const mayLoad = (): boolean => loading !== null || now() - failedAt >= failedPauseMs;

  /** Is there a set that may be used? @throws whatever kept us from reading it */
  const ready = async (): Promise<boolean> => {
    const age = held === null ? Number.POSITIVE_INFINITY : now() - held.at;
    if (age <= freshMs) return true;
    const isUsable = age <= usableMs;
    if (!mayLoad()) return isUsable;
    try {
      await load();
    } catch (error) {
      if (!isUsable) throw error;
    }
    return true;
  };

  return async (header) => {
    if (!(await ready())) return 'unsure';
    const key = await pickFrom(held, header);
    if (key !== null) return key;
    if (now() - settledAt <= settledMs) return 'unknown';
    if (loading === null) {
      if (now() - askedForUnknownAt <= askAgainMs || !mayLoad()) return 'unsure';
      askedForUnknownAt = now();
    }
    await load();
    settledAt = now();
    return (await pickFrom(held, header)) ?? 'unknown';
  };
}

async function pickFrom(
  held: { pick: ReturnType<typeof createLocalJWKSet> } | null,
  header: { kid: string; alg: string },
): Promise<CryptoKey | null> {
  try {
    return (await held?.pick(header)) ?? null;
  } catch (error) {
    // None, several of one kid, or one that is no public signing key: in any case none to believe.
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}
