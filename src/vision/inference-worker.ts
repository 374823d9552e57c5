import { parentPort, workerData } from 'node:worker_threads';
import type { RgbPicture } from '../faces/contract.ts';
import type { PreparedModel } from '../models/prepared-model.ts';
import { systemClock } from '../system/clock.ts';
import { type ApexError, asApexError, type ErrorCode } from '../system/errors.ts';
import type { ExecutionProvider } from './contract.ts';
import type { DetectorSession } from './detector-session.ts';
import { FaceWork } from './faces/face-work.ts';
import { ModelLoader } from './model-loader.ts';
import { climbLadder } from './provider-ladder.ts';
import { testPicture } from './test-picture.ts';
import type { CropFace, FromWorker, RunRequest, ToWorker, WorkerStart } from './worker-protocol.ts';

// A worker thread of the vision process: loading and running models blocks the thread that does it.

class InferenceWorker {
  readonly #start: WorkerStart;
  readonly #post: (message: FromWorker) => void;
  readonly #loader: ModelLoader;
  /** By size of the frames. Never made anew: sessions leak when they are. */
  readonly #sessions = new Map<string, DetectorSession>();
  #provider: ExecutionProvider = 'cpu';
  #faces: FaceWork | null = null;
  #go: () => void = () => {};

  constructor(start: WorkerStart, post: (message: FromWorker) => void) {
    this.#start = start;
    this.#post = post;
    this.#loader = new ModelLoader(start);
  }

  /** Answered by `model` and `opened`, or `failed`. */
  async open(): Promise<void> {
    const { form, facts } = await this.#loader.firstForm();
    this.#post({ kind: 'model', facts });
    const { session, provider, inferenceMs, refused } = await climbLadder({
      providers: this.#start.providers,
      excluded: this.#start.excluded,
      clock: systemClock,
      load: (candidate) => this.#candidate(form, candidate),
      announce: (candidate) => this.#announce(candidate),
    });
    this.#provider = provider;
    this.#sessions.set(sizeName(form), session.detector);
    this.#post({ kind: 'opened', provider, inferenceMs, refused });
  }

  /** Once the detector runs: faces can wait. Answered by `faces_ready`. */
  async openFaces(): Promise<void> {
    const { faces, threads } = this.#start;
    if (faces === null || this.#sessions.size === 0) return;
    const { work, report } = await FaceWork.open(faces, { provider: this.#provider, threads });
    this.#faces = work;
    this.#post({ kind: 'faces_ready', report });
  }

  /** Reads what can be read; a crop that fails costs only its own face. */
  async readFaces(crops: readonly RgbPicture[]): Promise<void> {
    if (this.#faces === null) {
      this.#post({ kind: 'faces', faces: null });
      return;
    }
    const faces: (CropFace | null)[] = [];
    for (const crop of crops) faces.push(await this.#faces.read(crop));
    this.#post({ kind: 'faces', faces });
  }

  go(): void {
    this.#go();
  }

  async run({ size, frames }: RunRequest): Promise<void> {
    const session = await this.#session(size);
    const began = systemClock.monotonicMs();
    // ONNX Runtime takes no shared memory, so frames are copied.
    frames.forEach((memory, index) => {
      session.frame(index).set(new Uint8Array(memory));
    });
    const objects = await session.detect(frames.length, this.#start.minScore);
    const inferenceMs = systemClock.monotonicMs() - began;
    this.#post({ kind: 'done', result: { objects, inferenceMs } });
  }

  async #session(size: RunRequest['size']): Promise<DetectorSession> {
    const known = this.#sessions.get(sizeName(size));
    if (known !== undefined) return known;
    const form = await this.#loader.form(size);
    const session = await this.#loader.session(form, this.#provider);
    this.#sessions.set(sizeName(size), session);
    return session;
  }

  async #candidate(form: PreparedModel, provider: ExecutionProvider) {
    const detector = await this.#loader.session(form, provider);
    detector.frame(0).set(testPicture(form));
    return {
      detector,
      run: async (): Promise<Float32Array> => {
        const [outputs] = await detector.run(1);
        return outputs?.at(-1) ?? new Float32Array();
      },
      release: () => detector.release(),
    };
  }

  #announce(provider: ExecutionProvider): Promise<void> {
    return new Promise((resolve) => {
      this.#go = resolve;
      this.#post({ kind: 'trying', provider });
    });
  }
}

function sizeName({ width, height }: { width: number; height: number }): string {
  return `${width}x${height}`;
}

function serve(port: NonNullable<typeof parentPort>): void {
  const post = (message: FromWorker): void => port.postMessage(message);
  const failed = (code: ErrorCode) => (error: unknown) => {
    const known: ApexError = asApexError(error, code);
    post({ kind: 'failed', error: known.toJSON() });
  };
  const worker = new InferenceWorker(workerData as WorkerStart, post);
  // One thing at a time, and the end after everything that was asked for before it.
  let work = worker.open().catch(failed('VISION_NO_PROVIDER'));
  work = work.then(() => worker.openFaces());
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'go') {
      worker.go();
    } else if (message.kind === 'run') {
      work = work.then(() => worker.run(message.request)).catch(failed('VISION_INFERENCE_FAILED'));
    } else if (message.kind === 'faces') {
      work = work
        .then(() => worker.readFaces(message.crops))
        .catch(failed('VISION_INFERENCE_FAILED'));
    } else {
      void work.then(() => port.close());
    }
  });
}

if (parentPort !== null) serve(parentPort);
