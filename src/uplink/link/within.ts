import type { Clock, TimerHandle } from '../../system/clock.ts';

/** Waits for the promise, but no longer than so many milliseconds. */
export async function within(clock: Clock, ms: number, promise: Promise<void>): Promise<void> {
  let timer: TimerHandle | undefined;
  const late = new Promise<void>((resolve) => {
    timer = clock.setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  timer?.cancel();
}
