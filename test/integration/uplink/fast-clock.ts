import { type Clock, systemClock } from '../../../src/system/clock.ts';

/** Ten times as fast, so that timeouts of seconds can be waited for. */
export const fastClock: Clock = {
  monotonicMs: () => systemClock.monotonicMs() * 10,
  wallMs: systemClock.wallMs,
  setTimeout: (callback, delayMs) => systemClock.setTimeout(callback, delayMs / 10),
};
