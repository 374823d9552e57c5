import type { FaceSample, RgbPicture } from '../faces/contract.ts';
import type { ExecutionProvider, FacesReport, FacesSpec, ProviderReport } from './contract.ts';
import type { FramePlan } from './letterbox.ts';

/** What the vision process's main thread and its inference workers say to each other. */

export interface Size {
  width: number;
  height: number;
}

/** What an inference worker is started with. */
export interface WorkerStart {
  /** Path of an installed model, or `test-detector`. */
  model: string;
  preparedDir: string;
  labels: readonly string[] | null;
  /** Lowest score to report. */
  minScore: number;
  threads: number;
  providers: readonly ExecutionProvider[];
  excluded: ProviderReport['refused'];
  /** Null where no faces are read. */
  faces: FacesSpec | null;
  /** Shape of the picture that the first session is made for. */
  picture: Size;
}

/** What a worker found out about the model, before any provider is tried. */
export interface ModelFacts {
  labels: readonly string[];
  form: ProviderReport['form'];
  formReason: string | null;
  /** Frames in one run; `any` when the model leaves that open. */
  batch: number | 'any';
  plan: FramePlan;
}

/** One piece of work: frames of one size for one run. */
export interface RunRequest {
  size: Size;
  frames: readonly SharedArrayBuffer[];
}

export interface RunResult {
  /** For each frame its objects, as `DetectorSession.detect` gives them. */
  objects: Float32Array[];
  inferenceMs: number;
}

/** The face in a crop, boxes and landmarks relative to it. */
export interface CropFace {
  readonly sample: FaceSample;
  readonly jpeg: Uint8Array | null;
}

export type ToWorker =
  /** The provider that the worker asked about has been written down: try it. */
  | { kind: 'go' }
  | { kind: 'run'; request: RunRequest }
  | { kind: 'faces'; crops: readonly RgbPicture[] }
  /** End when the work in hand is done. */
  | { kind: 'end' };

/**
 * Every `run` is answered by `done` or `failed`, every `faces` by `faces`; the start by `model`, `trying`s and
 * `opened`, or `failed`, and then by `faces_ready`.
 */
export type FromWorker =
  | { kind: 'model'; facts: ModelFacts }
  | { kind: 'trying'; provider: ExecutionProvider }
  | {
      kind: 'opened';
      provider: ExecutionProvider;
      inferenceMs: number;
      refused: ProviderReport['refused'];
    }
  | { kind: 'done'; result: RunResult }
  /** Null where they cannot be read. */
  | { kind: 'faces'; faces: (CropFace | null)[] | null }
  | { kind: 'faces_ready'; report: FacesReport }
  | { kind: 'failed'; error: { code: string; message: string; remedy: string } };
