import { cellCount, YOLO_STRIDES } from '../models/yolo/inspect.ts';
import { BOX_BINS } from '../models/yolo/outputs.ts';
import { Candidates } from './candidates.ts';

/** A frame in pixels, and the number of classes that the model tells apart. */
export interface DecoderShape {
  width: number;
  height: number;
  classes: number;
}

/**
 * Turns the raw outputs of YOLOv8 into boxes.
 *
 * Scores are looked at first: all but a handful of the thousands of cells are below the threshold, and only
 * those that are not get their box decoded. All memory is made once; a result lasts until the next call.
 */
export class YoloDecoder {
  readonly #shape: DecoderShape;
  readonly #cells: number;
  readonly #candidates: Candidates;
  /** Highest score of each cell; zero but for the survivors of the call in progress. */
  readonly #best: Float32Array;
  readonly #bestClass: Uint16Array;
  readonly #survivors: Uint32Array;

  constructor(shape: DecoderShape) {
    this.#shape = shape;
    this.#cells = cellCount(shape.width, shape.height);
    this.#candidates = new Candidates(this.#cells);
    this.#best = new Float32Array(this.#cells);
    this.#bestClass = new Uint16Array(this.#cells);
    this.#survivors = new Uint32Array(this.#cells);
  }

  /**
   * Decodes one frame of a prepared model.
   *
   * @param boxes logits [64, cells]: sides left, top, right, bottom, of 16 bins each
   * @param scores [classes, cells], 0..1
   * @param threshold lowest score to keep, above 0
   */
  prepared(boxes: Float32Array, scores: Float32Array, threshold: number): Candidates {
    const count = this.#sweep(scores, threshold);
    for (let index = 0; index < count; index++) {
      const cell = this.#collect(index);
      this.#decodeSides(boxes, cell, index);
    }
    this.#candidates.count = count;
    return this.#candidates;
  }

  /**
   * Decodes one frame of a model with the head that it was exported with.
   *
   * @param output [4 + classes, cells]: centre x, centre y, width, height in pixels, then scores 0..1
   */
  exported(output: Float32Array, threshold: number): Candidates {
    const cells = this.#cells;
    const count = this.#sweep(output.subarray(4 * cells), threshold);
    const { boxes } = this.#candidates;
    for (let index = 0; index < count; index++) {
      const cell = this.#collect(index);
      const x = output[cell] as number;
      const y = output[cells + cell] as number;
      const halfWidth = (output[2 * cells + cell] as number) / 2;
      const halfHeight = (output[3 * cells + cell] as number) / 2;
      boxes[4 * index] = x - halfWidth;
      boxes[4 * index + 1] = y - halfHeight;
      boxes[4 * index + 2] = x + halfWidth;
      boxes[4 * index + 3] = y + halfHeight;
    }
    this.#candidates.count = count;
    return this.#candidates;
  }

  /** Finds the best class of every cell that has one above the threshold; returns how many there are. */
  #sweep(scores: Float32Array, threshold: number): number {
    const cells = this.#cells;
    const best = this.#best;
    let count = 0;
    for (let classId = 0; classId < this.#shape.classes; classId++) {
      const start = classId * cells;
      for (let cell = 0; cell < cells; cell++) {
        const score = scores[start + cell] as number;
        if (score < threshold || score <= (best[cell] as number)) continue;
        if (best[cell] === 0) this.#survivors[count++] = cell;
        best[cell] = score;
        this.#bestClass[cell] = classId;
      }
    }
    return count;
  }

  /** Moves a survivor's score and class to the candidates, and leaves its cell clean for the next sweep. */
  #collect(index: number): number {
    const cell = this.#survivors[index] as number;
    this.#candidates.scores[index] = this.#best[cell] as number;
    this.#candidates.classes[index] = this.#bestClass[cell] as number;
    this.#best[cell] = 0;
    return cell;
  }

  /** A cell says how far each side is from its centre, in strides. */
  #decodeSides(logits: Float32Array, cell: number, index: number): void {
    const { boxes } = this.#candidates;
    const cells = this.#cells;
    let first = 0;
    for (const stride of YOLO_STRIDES) {
      const columns = this.#shape.width / stride;
      const inLevel = cell - first;
      const size = columns * (this.#shape.height / stride);
      first += size;
      if (inLevel >= size) continue;
      const x = (inLevel % columns) + 0.5;
      const y = Math.floor(inLevel / columns) + 0.5;
      boxes[4 * index] = (x - expectedBin(logits, cell, cells)) * stride;
      boxes[4 * index + 1] = (y - expectedBin(logits, cell + BOX_BINS * cells, cells)) * stride;
      boxes[4 * index + 2] = (x + expectedBin(logits, cell + 2 * BOX_BINS * cells, cells)) * stride;
      boxes[4 * index + 3] = (y + expectedBin(logits, cell + 3 * BOX_BINS * cells, cells)) * stride;
      return;
    }
  }
}

/**
 * Mean of softmax(logits) over the bins: the distribution focal loss's box side (Li et al. 2020,
 * arxiv.org/abs/2006.04388).
 *
 * @param first index of the logit of bin 0
 * @param step distance to the next bin's
 */
function expectedBin(logits: Float32Array, first: number, step: number): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let bin = 0; bin < BOX_BINS; bin++) {
    highest = Math.max(highest, logits[first + bin * step] as number);
  }
  let total = 0;
  let weighted = 0;
  for (let bin = 0; bin < BOX_BINS; bin++) {
    const weight = Math.exp((logits[first + bin * step] as number) - highest);
    total += weight;
    weighted += bin * weight;
  }
  return weighted / total;
}
