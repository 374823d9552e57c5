import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelForm } from '../models/model-form.ts';
import type { Candidates } from './candidates.ts';
import type { ExecutionProvider } from './contract.ts';
import { suppressOverlaps } from './nms.ts';
import { YoloDecoder } from './yolo-decode.ts';

/** Numbers for each object: x1, y1, x2, y2 in pixels of the frame, score, class number. */
export const OBJECT_NUMBERS = 6;

export interface DetectorSessionOptions {
  provider: ExecutionProvider;
  /** Threads of one run, for what runs on the CPU. */
  threads: number;
  /** Most frames in one run. */
  batch: number;
}

/** The part of TensorRT's work that it does not take goes to CUDA, and only what is left to the CPU. */
export const PROVIDER_CHAIN: Readonly<Record<ExecutionProvider, readonly string[]>> = {
  tensorrt: ['tensorrt', 'cuda'],
  cuda: ['cuda'],
  cpu: ['cpu'],
};

/** ONNX Runtime's severity `error`: its warnings are about graphs, and nobody can act on them. */
const LOG_ERRORS = 3;

/**
 * A detector loaded for frames of one size, with the memory that its frames go into.
 *
 * Loading and running block the calling thread. The thread must not be ended meanwhile: that aborts the process.
 */
export class DetectorSession {
  readonly #form: ModelForm;
  readonly #session: InferenceSession;
  readonly #decoder: YoloDecoder;
  readonly #pixels: Uint8Array;
  readonly #frameBytes: number;
  /** Input tensors for runs of 1, 2, ... frames, all over the same pixels. */
  readonly #inputs: readonly Tensor[];

  /** @throws Error with ONNX Runtime's text when the provider cannot run this model on this machine */
  static async load(
    form: ModelForm,
    file: string | Uint8Array,
    options: DetectorSessionOptions,
  ): Promise<DetectorSession> {
    // Loaded here because the native library is large, and most commands need none of it.
    const ort = await import('onnxruntime-node');
    const settings: InferenceSession.SessionOptions = {
      executionProviders: PROVIDER_CHAIN[options.provider],
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      logSeverityLevel: LOG_ERRORS,
      // Threads that spin while they wait for the next run take the cores from the decoders.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
      ...(form.batch === 'any' && options.batch === 1 && { freeDimensionOverrides: { batch: 1 } }),
    };
    const session =
      typeof file === 'string'
        ? await ort.InferenceSession.create(file, settings)
        : await ort.InferenceSession.create(file, settings);
    return new DetectorSession(form, session, ort.Tensor, runSizes(form, options.batch));
  }

  private constructor(
    form: ModelForm,
    session: InferenceSession,
    TensorClass: typeof Tensor,
    sizes: readonly number[],
  ) {
    const { width, height } = form;
    this.#form = form;
    this.#session = session;
    this.#frameBytes = 3 * width * height;
    this.#pixels = new Uint8Array(this.#frameBytes * Math.max(...sizes));
    this.#inputs = sizes.map(
      (frames) =>
        new TensorClass('uint8', this.#pixels.subarray(0, frames * this.#frameBytes), [
          frames,
          3,
          height,
          width,
        ]),
    );
    this.#decoder = new YoloDecoder({ width, height, classes: form.labels.length });
  }

  /** Memory of the n-th frame of the next run: planes G, B, R. */
  frame(index: number): Uint8Array {
    return this.#pixels.subarray(index * this.#frameBytes, (index + 1) * this.#frameBytes);
  }

  /**
   * Runs the model on the first `frames` frames.
   *
   * @param threshold lowest score to report
   * @returns for each frame its objects, highest score first, OBJECT_NUMBERS numbers each
   */
  async detect(frames: number, threshold: number): Promise<Float32Array[]> {
    const outputs = await this.run(frames);
    return outputs.map((parts) => compact(this.#decode(parts, threshold)));
  }

  /** Runs the model and gives each frame's raw outputs, in the order that the form names them. */
  async run(frames: number): Promise<Float32Array[][]> {
    const input = this.#inputs.find(({ dims }) => (dims[0] as number) >= frames);
    if (input === undefined) throw new RangeError(`${frames} frames are too many for one run`);
    const results = await this.#session.run({ [this.#form.inputName]: input });
    const total = input.dims[0] as number;
    return Array.from({ length: frames }, (_, index) =>
      this.#form.outputs.map((name) => {
        const data = results[name]?.data as Float32Array;
        const size = data.length / total;
        return data.subarray(index * size, (index + 1) * size);
      }),
    );
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  #decode(outputs: readonly Float32Array[], threshold: number): Candidates {
    const [first, second] = outputs;
    if (first === undefined) throw new RangeError('the model gave no output');
    if (second === undefined) return this.#decoder.exported(first, threshold);
    return this.#decoder.prepared(first, second, threshold);
  }
}

/** Numbers of frames that a run can have: up to the limit, or exactly what the export was made for. */
function runSizes(form: ModelForm, limit: number): number[] {
  if (form.batch !== 'any') return [form.batch];
  return Array.from({ length: limit }, (_, index) => index + 1);
}

function compact(candidates: Candidates): Float32Array {
  const kept = suppressOverlaps(candidates);
  const objects = new Float32Array(kept.length * OBJECT_NUMBERS);
  kept.forEach((index, at) => {
    const start = at * OBJECT_NUMBERS;
    objects.set(candidates.boxes.subarray(4 * index, 4 * index + 4), start);
    objects[start + 4] = candidates.scores[index] as number;
    objects[start + 5] = candidates.classes[index] as number;
  });
  return objects;
}
