import type {
  CameraFault,
  CameraSpec,
  CameraStatus,
  CaptureHistory,
  DecoderChoice,
  StreamInfo,
} from '../capture/contract.ts';
import type { FaceSample } from '../faces/contract.ts';
import type { FaceGate } from '../faces/quality.ts';
import type { BoundingBox } from '../protocol/detection.ts';

/** What the daemon and the vision process say to each other, and what the rest of the daemon knows of vision. */

export const PROVIDERS = ['tensorrt', 'cuda', 'cpu'] as const;
export type ExecutionProvider = (typeof PROVIDERS)[number];

/** One object found by a detector in one frame. */
export interface Detection {
  label: string;
  classId: number;
  /** 0..1 */
  score: number;
  /** Relative to the camera's picture, letterbox padding already taken away. */
  box: BoundingBox;
}

export interface DetectorSpec {
  /** Path of the installed ONNX model, or `test-detector` for the built-in one. */
  model: string;
  /** Folder where prepared forms of models are cached. */
  preparedDir: string;
  /** Labels anyone wants; null for all of the model's. Others are cut from the prepared graph. */
  labels: readonly string[] | null;
  /** Tried in this order. */
  providers: readonly ExecutionProvider[];
  /** Inference threads; null for as many as suit the provider that runs. */
  workers: number | null;
  threadsPerWorker: number;
  /** Lowest score any camera wants, 0..1. */
  minScore: number;
}

/** The models that read faces. */
export interface FacesSpec {
  /** Paths of installed models. */
  detector: string;
  embedding: string;
  /** For a detector that finds no landmarks. */
  landmarks: string | null;
  gate: FaceGate;
}

/** What reads faces. */
export interface FacesReport {
  /** Null where none can. */
  provider: ExecutionProvider | null;
  refused: readonly { provider: ExecutionProvider; reason: string }[];
  /** Name of the embedding model; null where faces cannot be read. */
  embedding: string | null;
  fault: CameraFault | null;
}

/** The face of a person in a camera's picture, boxes and landmarks relative to it. */
export interface PersonFace extends FaceSample {
  /** JPEG of the face and some of what is around it; null where there is a doubt about it. */
  jpeg: Uint8Array | null;
}

export interface CameraCounters {
  cameraId: string;
  framesReceived: number;
  framesAnalysed: number;
  /** Frames that were replaced by a newer one before a worker was free. */
  framesDropped: number;
  /** Analysed frames each second over the last 5 s. */
  fps: number;
}

export interface ProviderReport {
  provider: ExecutionProvider;
  /** Median milliseconds of one timed run on a real input. */
  inferenceMs: number;
  refused: readonly { provider: ExecutionProvider; reason: string }[];
  /** Which form of the model runs. */
  form: 'prepared' | 'wrapped' | 'test-detector';
  /** Why a better form was not possible; null when `prepared` or by choice. */
  formReason: string | null;
}

export interface FrameResult {
  cameraId: string;
  /** Counts the frames that the camera delivered, from 0; goes on over reconnects. */
  frameId: number;
  /** Arrival of the frame. For file cameras with `pace: max`, start of play + media time. */
  monoMs: number;
  wallMs: number;
  detections: Detection[];
  inferenceMs: number;
  model: string;
}

export interface SnapshotImage {
  jpeg: Uint8Array;
  width: number;
  height: number;
}

/** What earlier runs found out about a camera, so that nothing need be found out or waited for again. */
export interface CameraHint {
  cameraId: string;
  /** Null where no connection came so far. */
  stream: StreamInfo | null;
  decoder: DecoderChoice | null;
  nextFrameId: number;
  history: CaptureHistory;
}

/** Daemon to vision process. */
export type ToVision =
  | {
      kind: 'start';
      detector: DetectorSpec;
      /** Null where no camera asks for faces. */
      faces: FacesSpec | null;
      cameras: readonly CameraSpec[];
      ffmpegPath: string;
      hints: readonly CameraHint[];
      /** Providers not to try: an attempt ended the process. */
      excluded: readonly { provider: ExecutionProvider; reason: string }[];
    }
  | { kind: 'snapshot'; requestId: number; cameraId: string; frameId: number; maxWidth: number }
  /** The faces of people in a frame. Answered by `faces`. */
  | {
      kind: 'faces';
      requestId: number;
      cameraId: string;
      frameId: number;
      persons: readonly BoundingBox[];
    }
  | { kind: 'camera_add'; camera: CameraSpec }
  /** Answered by `settled` when nothing of the camera is left and nothing more will be told of it. */
  | { kind: 'camera_remove'; requestId: number; cameraId: string }
  /** Another rate or size. Answered by `settled` when every later result is of a frame taken as asked. */
  | { kind: 'camera_change'; requestId: number; camera: CameraSpec }
  | { kind: 'stop' };

/** Vision process to daemon. */
export type FromVision =
  | { kind: 'trying-provider'; provider: ExecutionProvider }
  | { kind: 'ready'; provider: ProviderReport; labels: readonly string[] }
  | { kind: 'result'; result: FrameResult }
  | { kind: 'camera'; status: CameraStatus }
  | { kind: 'counters'; cameras: readonly CameraCounters[]; rssMb: number }
  | { kind: 'snapshot'; requestId: number; image: SnapshotImage | null }
  /** For each person the face; null where the picture is gone or there is too much to do. */
  | { kind: 'faces'; requestId: number; faces: readonly (PersonFace | null)[] | null }
  | { kind: 'faces_ready'; report: FacesReport }
  | { kind: 'settled'; requestId: number }
  | { kind: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; event: string; fields: object }
  | { kind: 'fatal'; error: { code: string; message: string; remedy: string } };
