/** A small repeatable generator of numbers from 0 to 1, so that a failure can be run again with its seed. */
export function lcg(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
