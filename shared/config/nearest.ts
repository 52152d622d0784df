/** The candidate that a misspelt word most likely stands for; null when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const allowed = Math.min(word.length - 1, Math.max(1, Math.floor(word.length / 3)));
  let best: { candidate: string; distance: number } | null = null;
  for (const candidate of candidates) {
    const found = distance(candidate.toLowerCase(), word.toLowerCase());
    if (found <= allowed && (best === null || found < best.distance)) best = { candidate, distance: found };
  }
  return best?.candidate ?? null;
}

/** Levenshtein. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 20) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
