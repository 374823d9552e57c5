import { readFileSync } from 'node:fs';

/**
 * The only door to time. Timers, timeouts and order use `monotonicMs`; `wallMs` is for people.
 */
export interface Clock {
  /** Milliseconds of the system-wide monotonic clock (CLOCK_MONOTONIC); the same in every process of one boot. */
  monotonicMs(): number;
  /** Unix time in milliseconds; may jump. */
  wallMs(): number;
  setTimeout(callback: () => void, delayMs: number): TimerHandle;
}

export interface TimerHandle {
  cancel(): void;
}

const LONGEST_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  monotonicMs: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  wallMs: () => Date.now(),
  setTimeout(callback, delayMs) {
    // Node takes a longer delay for 1 ms.
    const timer = setTimeout(callback, Math.min(delayMs, LONGEST_DELAY_MS));
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Identifies one run of the kernel: monotonic times compare only within one boot. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
