/** The seed of this run: APEX_FAULT_SEED, or a new one. Printed, so that a failure can be repeated. */
export const SEED = Number(process.env.APEX_FAULT_SEED ?? Math.floor(Math.random() * 1_000_000));

/** APEX_FAULT_LONG=1: the whole sweeps instead of the samples that CI runs. */
export const IS_LONG = process.env.APEX_FAULT_LONG === '1';

/** Length of the tests that last as long as they are told: APEX_FAULT_SECONDS. */
export function seconds(short: number): number {
  return Number(process.env.APEX_FAULT_SECONDS ?? short);
}

console.log(`fault seed ${SEED}${IS_LONG ? ', long form' : ''} (APEX_FAULT_SEED repeats it)`);

/** mulberry32: numbers in [0, 1), the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
