import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelGeometry } from '../capture/contract.ts';
import type { PreparedModel } from '../models/prepared-model.ts';
import { ApexError } from '../system/errors.ts';
import { Candidates } from './candidates.ts';
import type { Detection, ExecutionProvider } from './contract.ts';
import { toPicture } from './letterbox.ts';
import { suppress } from './nms.ts';
import { BestClass, decodeExported, decodePrepared, type OutputPlane } from './yolo-decode.ts';

const MAX_CANDIDATES = 8400;

export interface SessionSettings {
  provider: ExecutionProvider;
  threads: number;
}

/** One frame as a detector takes it: planar G, B, R bytes, and how the picture lies in it. */
export interface DetectorFrame {
  pixels: Uint8Array;
  geometry: ModelGeometry;
  minScore: number;
}

/** A prepared model in an ONNX Runtime session. `detect` blocks the calling thread for the whole inference. */
export class Detector {
  readonly #session: InferenceSession;
  readonly #model: PreparedModel;
  readonly #candidates = new Candidates(MAX_CANDIDATES);
  readonly #best = new BestClass();
  /** Input memory: ONNX Runtime takes no shared memory, so frames are copied in (0.02 ms each). */
  #input = new Uint8Array(0);

  /**
   * Loads the model. A session is never ended and made again in one process: it would leak.
   * @throws the runtime's error when the provider cannot run the model here
   */
  static async create(model: PreparedModel, settings: SessionSettings): Promise<Detector> {
    const session = await InferenceSession.create(model.path, {
      executionProviders: [settings.provider],
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
      intraOpNumThreads: settings.threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    return new Detector(session, model);
  }

  private constructor(session: InferenceSession, model: PreparedModel) {
    this.#session = session;
    this.#model = model;
  }

  /** Frames that one run may take. */
  get maxBatch(): number {
    return this.#model.batch === 'any' ? Number.POSITIVE_INFINITY : this.#model.batch;
  }

  /** Finds objects in frames of the model's size, best score first. */
  async detect(frames: readonly DetectorFrame[]): Promise<Detection[][]> {
    const outputs = await this.run(frames.map(({ pixels }) => pixels));
    return frames.map((frame, index) => this.#decode(outputs, frame, index));
  }

  /** The bare run, for timing and comparing providers. */
  async run(frames: readonly Uint8Array[]): Promise<readonly Tensor[]> {
    const { width, height, inputName, outputs } = this.#model;
    const frameBytes = width * height * 3;
    const bytes = frames.length * frameBytes;
    if (this.#input.length !== bytes) this.#input = new Uint8Array(bytes);
    for (const [index, frame] of frames.entries()) this.#input.set(frame, index * frameBytes);
    const input = new Tensor('uint8', this.#input, [frames.length, 3, height, width]);
    const results = await this.#session.run({ [inputName]: input });
    return outputs.map((name) => {
      const tensor = results[name];
      if (tensor === undefined) throw new ApexError('INTERNAL', `the model gave no output ${name}`);
      return tensor;
    });
  }

  #decode(
    outputs: readonly Tensor[],
    { geometry, minScore }: DetectorFrame,
    index: number,
  ): Detection[] {
    const { labels, form, width, height } = this.#model;
    const [first, second] = outputs.map((tensor) => planeOf(tensor, index));
    if (first === undefined) return [];
    if (form === 'wrapped' || second === undefined) {
      decodeExported(first, labels.length, minScore, this.#candidates, this.#best);
    } else {
      const heads = { boxes: first, scores: second, classes: labels.length };
      const size = { modelWidth: width, modelHeight: height };
      decodePrepared({ ...heads, ...size }, minScore, this.#candidates, this.#best);
    }
    return suppress(this.#candidates).map((place) => this.#detection(geometry, place));
  }

  #detection(geometry: ModelGeometry, place: number): Detection {
    const { left, top, right, bottom, score, classId } = this.#candidates;
    const label = classId[place] as number;
    return {
      label: this.#model.labels[label] ?? `class_${label}`,
      classId: label,
      score: score[place] as number,
      box: toPicture(
        geometry,
        left[place] as number,
        top[place] as number,
        right[place] as number,
        bottom[place] as number,
      ),
    };
  }
}

function planeOf(tensor: Tensor, index: number): OutputPlane {
  const [, rows = 0, cells = 0] = tensor.dims;
  return { data: tensor.data as Float32Array, offset: index * rows * cells, cells };
}
