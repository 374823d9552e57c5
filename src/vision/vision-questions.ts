import type { CameraSpec } from '../capture/contract.ts';
import type { BoundingBox } from '../protocol/detection.ts';
import type { Clock } from '../system/clock.ts';
import type { FromVision, PersonFace, SnapshotImage, ToVision } from './contract.ts';
import { OpenRequests } from './open-requests.ts';

/** By then nobody wants a picture any more. */
const PICTURE_LIMIT_MS = 5000;

type Faces = readonly (PersonFace | null)[] | null;

/** What the vision process is asked, and its answers. */
export class VisionQuestions {
  readonly #snapshots: OpenRequests<SnapshotImage | null>;
  readonly #faces: OpenRequests<Faces>;
  readonly #cameraChanges: OpenRequests<undefined>;
  readonly #send: (message: ToVision) => boolean;

  /** @param send tells whether there is a process to ask */
  constructor(clock: Clock, send: (message: ToVision) => boolean) {
    this.#send = send;
    this.#snapshots = new OpenRequests<SnapshotImage | null>(clock, {
      limitMs: PICTURE_LIMIT_MS,
      otherwise: null,
    });
    this.#faces = new OpenRequests<Faces>(clock, { limitMs: PICTURE_LIMIT_MS, otherwise: null });
    this.#cameraChanges = new OpenRequests<undefined>(clock, {
      limitMs: null,
      otherwise: undefined,
    });
  }

  /** Null when the picture is gone or the process cannot answer. @param maxWidth pixels */
  snapshot(cameraId: string, frameId: number, maxWidth: number): Promise<SnapshotImage | null> {
    return this.#snapshots.ask((requestId) =>
      this.#send({ kind: 'snapshot', requestId, cameraId, frameId, maxWidth }),
    );
  }

  /** For each person the face, null where none is seen; null where they cannot be read. */
  faces(cameraId: string, frameId: number, persons: readonly BoundingBox[]): Promise<Faces> {
    return this.#faces.ask((requestId) =>
      this.#send({ kind: 'faces', requestId, cameraId, frameId, persons }),
    );
  }

  /** Where no process runs there is nothing to wait for: the next one begins with the cameras as they are now. */
  removeCamera(cameraId: string): Promise<undefined> {
    return this.#cameraChanges.ask((requestId) =>
      this.#send({ kind: 'camera_remove', requestId, cameraId }),
    );
  }

  changeCamera(camera: CameraSpec): Promise<undefined> {
    return this.#cameraChanges.ask((requestId) =>
      this.#send({ kind: 'camera_change', requestId, camera }),
    );
  }

  answered(message: FromVision & { kind: 'snapshot' | 'faces' | 'settled' }): void {
    const { kind, requestId } = message;
    if (kind === 'snapshot') this.#snapshots.answer(requestId, message.image);
    else if (kind === 'faces') this.#faces.answer(requestId, message.faces);
    else this.#cameraChanges.answer(requestId, undefined);
  }

  /** Nobody is left to answer. */
  giveUp(): void {
    this.#snapshots.giveUp();
    this.#faces.giveUp();
    this.#cameraChanges.giveUp();
  }
}
