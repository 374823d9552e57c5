/** A prime, so that the samples wander through columns and planes instead of standing in a few columns. */
const SAMPLE_STEP = 997;

/**
 * Tells whether a camera's picture is another one than the picture before, by a hash over a thousandth of its
 * bytes: cheap enough for every frame, and noise alone makes two real pictures differ.
 */
export class PictureChange {
  #hash = 0;

  /** Whether `frame` differs from the frame of the last call. */
  differs(frame: Uint8Array): boolean {
    const hash = sampledHash(frame);
    const differs = hash !== this.#hash;
    this.#hash = hash;
    return differs;
  }
}

/** FNV-1a, 32 bits (datatracker.ietf.org/doc/html/draft-eastlake-fnv), over every 997th byte. */
function sampledHash(frame: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < frame.length; i += SAMPLE_STEP) {
    hash = Math.imul(hash ^ (frame[i] ?? 0), 0x01000193);
  }
  return hash >>> 0;
}
