import { z } from 'zod';

export const savedTimeSchema = z.object({
  bootId: z.string(),
  monoMs: z.number(),
  /** Unix milliseconds. */
  wallMs: z.number(),
});

/** When something was saved, by both clocks. */
export type SavedTime = Readonly<z.infer<typeof savedTimeSchema>>;

/** Longer than this nothing that is saved is worth anything; a clock that jumped says more. */
const LONGEST_MS = 30 * 86_400_000;

/**
 * What is to be added to monotonic times of an earlier run so that they compare with those of now. Within one boot
 * that is nothing; else the wall clock tells how long ago they were, as far as it can be believed: 0 to 30 days.
 */
export function monotonicShift(saved: SavedTime, now: SavedTime): number {
  if (saved.bootId === now.bootId && saved.monoMs <= now.monoMs) return 0;
  const elapsedMs = Math.min(LONGEST_MS, Math.max(0, now.wallMs - saved.wallMs));
  return now.monoMs - elapsedMs - saved.monoMs;
}
