/**
 * Fixed qualities by name, or frames analysed per second and bounds of the analysed picture in pixels. Of a bound that
 * is absent the configuration decides, as `auto` lets it decide everything. docs/cameras.md lists what the names mean.
 */
export type Quality =
  | 'low'
  | 'medium'
  | 'high'
  | 'auto'
  | {
      fps?: number | undefined;
      width?: number | undefined;
      height?: number | undefined;
    };

/** What a camera is really analysed with, which a model of one size or a shared limit can make differ from the wish. */
export interface AppliedQuality {
  /** Analysed frames a second; null for every frame that the camera sends. */
  fps: number | null;
  /** Pixels of the picture that the detector gets, without the padding around it. */
  width: number;
  height: number;
}

export interface StartRequest {
  cameraId: string;
  /** Absent for a camera of the configuration. May hold a password, which goes into no log and no message. */
  url?: string | undefined;
  /** Absent for the quality that the camera had before, or else `auto`. */
  quality?: Quality | undefined;
}

/**
 * The cameras that this edge watches, changed while it runs.
 *
 * Calls for one camera take effect in the order in which they were made; those for several run at the same time.
 */
export interface CameraSet {
  /**
   * Resolves when frames of the camera are analysed. Starting a camera that runs is a success without effect, except
   * that a quality which is given is applied; with another address it is an error.
   * @throws ApexError CAMERA_UNKNOWN without an address and a configuration, CAMERA_DISABLED,
   *   CAMERA_ADDRESS_DIFFERS, CAMERA_LIMIT, CAMERA_START_TIMEOUT, or the fault that keeps the camera from running,
   *   such as CAPTURE_AUTH_FAILED. A camera that did not run before does not after it either.
   */
  start(request: StartRequest): Promise<AppliedQuality>;
  /**
   * Resolves when no frame of it is analysed any more and its events have ended. Stopping a stopped camera is a
   * success. A camera that was given with its address is forgotten with it.
   * @throws ApexError CAMERA_UNKNOWN
   */
  stop(cameraId: string): Promise<void>;
  /**
   * Resolves when frames are analysed with the new quality.
   * @throws ApexError CAMERA_UNKNOWN, CAMERA_STOPPED, CAMERA_START_TIMEOUT, or the fault that keeps the camera from
   *   running; then nothing has changed
   */
  change(cameraId: string, quality: Quality): Promise<AppliedQuality>;
  /** Cameras that this edge announces to the hub: those of the configuration, also while stopped, and those given. */
  ids(): readonly string[];
}
