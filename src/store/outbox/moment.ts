import type { Clock } from '../../system/clock.ts';

/** The same instant by both clocks, in milliseconds. */
export interface Moment {
  readonly wallMs: number;
  readonly monoMs: number;
}

export function momentOf(clock: Clock): Moment {
  return { wallMs: clock.wallMs(), monoMs: clock.monotonicMs() };
}
