/** A camera with a frame that waits for a worker. */
export interface Waiting {
  cameraId: string;
  /** Frames that share it can go through one run. */
  modelPath: string;
  /** Count of turns when the camera was last served; lower is longer ago, -1 never. */
  lastServed: number;
}

/**
 * Whose frames the next free worker takes: the camera that was served longest ago, and with it those that fit in
 * the same run. So a camera with many frames never starves another.
 */
export function nextBatch(waiting: readonly Waiting[], maxBatch: number): string[] {
  const inTurn = waiting.toSorted((a, b) => a.lastServed - b.lastServed);
  const [first] = inTurn;
  if (first === undefined) return [];
  return inTurn
    .filter(({ modelPath }) => modelPath === first.modelPath)
    .slice(0, Math.max(1, maxBatch))
    .map(({ cameraId }) => cameraId);
}
