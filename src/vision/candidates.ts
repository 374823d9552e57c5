/** Boxes above the threshold, before overlapping ones are thinned out. Its arrays are used again and again. */
export class Candidates {
  /** Corners x1, y1, x2, y2 in pixels of the frame, four numbers each. */
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly classes: Uint16Array;
  count = 0;

  constructor(capacity: number) {
    this.boxes = new Float32Array(4 * capacity);
    this.scores = new Float32Array(capacity);
    this.classes = new Uint16Array(capacity);
  }
}
