import fc from 'fast-check';

/** A change is judged by the same cases every time; `SEED=$RANDOM npm test` looks for new ones. */
export const usualSeed = 20_261_125;

fc.configureGlobal({ seed: Number(process.env.SEED ?? usualSeed) });
