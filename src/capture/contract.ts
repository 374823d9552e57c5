/** What the rest of the program tells and hears of a camera. */

export const DECODERS = ['nvmpi', 'nvv4l2dec', 'cuda', 'software'] as const;
export type DecoderName = (typeof DECODERS)[number];

export type CameraSource =
  | {
      kind: 'rtsp';
      /** rtsp:// or rtsps:// address with its credentials: secret, never logged. */
      url: string;
      transport: 'tcp' | 'udp';
    }
  | {
      kind: 'file';
      /** Clips, played one after the other. */
      paths: readonly string[];
      pace: 'realtime' | 'max';
      loop: boolean;
    };

export interface CameraSpec {
  id: string;
  source: CameraSource;
  /** Frames analysed each second, or `all` of them. */
  fps: number | 'all';
  minScore: number;
  labels: readonly string[] | null;
  decoder: 'auto' | DecoderName;
  /** Largest picture that is analysed, in pixels; null for what suits the model. */
  analysed: { maxWidth: number; maxHeight: number } | null;
  /**
   * Largest picture kept for snapshots, and what of it nobody may see: polygons with corners from 0 to 1. Null keeps
   * none.
   */
  snapshot: {
    maxWidth: number;
    maxHeight: number;
    hidden: readonly (readonly { readonly x: number; readonly y: number }[])[];
  } | null;
  /**
   * Where the camera's own packets are written as well, in segments of at least so many seconds that begin with a key
   * frame; null for nowhere.
   */
  ring: { dir: string; segmentS: number } | null;
  /** No frame for this long means the stream has stalled. */
  stallTimeoutMs: number;
  /** Byte-identical frames for this long mean the picture is frozen; 0 turns the check off. */
  frozenTimeoutMs: number;
}

/** What is known of a camera's video from probing or playing it. */
export interface StreamInfo {
  codec: string;
  width: number;
  height: number;
  /** Frames per second that the stream declares; null when it does not. */
  fps: number | null;
  pixelFormat: string | null;
}

/** How the camera's picture lies in the model's input. All in model pixels. */
export interface ModelGeometry {
  modelWidth: number;
  modelHeight: number;
  contentWidth: number;
  contentHeight: number;
  padLeft: number;
  padTop: number;
}

/**
 * `failed`: given up until the configuration changes (a file that cannot be decoded, a refused address);
 * `finished`: a file camera without `loop` has played to its end; `disabled`: refused at configuration time;
 * `stopped`: not watched because somebody asked for that.
 */
export type CameraState =
  | 'disabled'
  | 'stopped'
  | 'connecting'
  | 'streaming'
  | 'stalled'
  | 'backing-off'
  | 'failed'
  | 'finished';

export interface CameraFault {
  code: string;
  message: string;
  remedy: string;
}

export interface DecoderChoice {
  decoder: DecoderName;
  /** Better decoders that were tried, and why each was refused. */
  refused: readonly { decoder: DecoderName; reason: string }[];
}

export interface CameraStatus {
  cameraId: string;
  state: CameraState;
  /** Monotonic time of the last change of state. */
  sinceMonoMs: number;
  fault: CameraFault | null;
  /** Times that the stream was opened again after a failure. */
  reconnects: number;
  /** When backing off: monotonic time of the next attempt. */
  retryAtMonoMs: number | null;
  stream: StreamInfo | null;
  decoder: DecoderChoice | null;
  /** The picture as the detector gets it, without padding; null until a connection was planned. */
  analysed: PictureSize | null;
  /** Failures since the last sustained stream: how far the back-off has come. */
  failures: number;
  /** Which clip of a file camera is played, from 0. */
  clip: number;
}

/** What a capture of the same camera came to, in a process that is gone: back-off and place go on from there. */
export type CaptureHistory = Pick<
  CameraStatus,
  'fault' | 'failures' | 'reconnects' | 'retryAtMonoMs' | 'clip'
>;

/** One frame as it leaves the capture of a camera. */
export interface FrameMeta {
  /** Arrival, monotonic. For file cameras: start of play + media time. */
  monoMs: number;
  wallMs: number;
}

/**
 * Where a camera's frames go. The capture writes into memory that the sink owns, so a frame is copied once:
 * from the pipe to where a worker reads it.
 *
 * Frames are planar G, B, R bytes (`gbrp`) of `modelWidth * modelHeight * 3` bytes, letterboxed with 114.
 */
export interface FrameSink {
  /** A connection delivers from now on; called before its first frame. */
  open(stream: StreamInfo, geometry: ModelGeometry, snapshotSize: PictureSize | null): void;
  /** Memory for the next frame, of the geometry's size. The same until `complete` is called. */
  target(): Uint8Array;
  /**
   * The target is full. `pause` asks the capture to stop reading until `onResume` fires (only honoured with
   * `pace: max`; all other cameras never wait for the model).
   */
  complete(meta: FrameMeta): 'next' | 'pause';
  /** Called once by the capture; the sink calls back when there is room again. */
  onResume(callback: () => void): void;
  /**
   * Memory for the next snapshot picture: interleaved RGB bytes of the size told in `open`. The n-th picture
   * belongs to the n-th frame of the connection.
   */
  pictureTarget(): Uint8Array;
  pictureComplete(): void;
  /** The connection ended; a half-filled target is forgotten. */
  close(): void;
}

export interface PictureSize {
  width: number;
  height: number;
}
