/** A camera that has a frame to analyse. */
export interface WaitingCamera {
  cameraId: string;
  /** Frames of one size can go through the model together. */
  sizeKey: string;
}

/**
 * Decides whose frames are analysed next: always those of the camera that was served longest ago, so that a fast
 * camera cannot starve a slow one.
 */
export class Scheduler {
  readonly #servedAt = new Map<string, number>();
  #turn = 0;

  /**
   * Picks cameras with frames of the same size, at most `limit`, and counts them as served.
   * Of two that were never served, the first in the list goes first.
   */
  next<Camera extends WaitingCamera>(waiting: readonly Camera[], limit: number): Camera[] {
    const inOrder = waiting.toSorted((a, b) => this.#age(a) - this.#age(b));
    const batch = inOrder.filter(({ sizeKey }) => sizeKey === inOrder[0]?.sizeKey).slice(0, limit);
    for (const { cameraId } of batch) this.#servedAt.set(cameraId, ++this.#turn);
    return batch;
  }

  /** The camera is gone for good. */
  forget(cameraId: string): void {
    this.#servedAt.delete(cameraId);
  }

  #age({ cameraId }: WaitingCamera): number {
    return this.#servedAt.get(cameraId) ?? 0;
  }
}
