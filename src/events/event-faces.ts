import type { FaceSample } from '../faces/contract.ts';
import type { CameraFaces, FaceOfTrack, FaceRequest } from '../faces/recognition/camera-faces.ts';
import type { FaceDetectionResult } from '../protocol/payloads.ts';
import type { Track } from '../tracking/types.ts';
import type { FrameResult } from '../vision/contract.ts';
import { faceResult, wireIdentity } from './face-results.ts';
import type { LiveEvent } from './live-event.ts';

/** A tentative track was nothing when nothing of it was seen for so long. */
const TENTATIVE_MS = 5000;

/** What is to be told and kept of faces. */
export interface FaceNews<Face> {
  readonly results: readonly FaceDetectionResult[];
  /** Faces that are the best of their event so far. */
  readonly best: readonly { readonly eventId: string; readonly face: Face }[];
}

export interface EventFacesOptions<Face extends FaceSample> {
  readonly cameraId: string;
  readonly recognition: CameraFaces<Face>;
  /** Size of the pictures that are kept, pixels; null while it is not known. */
  readonly pictureSize: () => { readonly width: number; readonly height: number } | null;
}

/** Brings the faces of tracks to their events. Pure. */
export class EventFaces<Face extends FaceSample> {
  readonly #options: EventFacesOptions<Face>;
  readonly #events = new Map<number, LiveEvent>();
  /** Times at which tracks without an event were seen last. */
  readonly #tentative = new Map<number, number>();
  #results: FaceDetectionResult[] = [];
  #decided = 0;
  #named = 0;
  #best: { eventId: string; face: Face }[] = [];

  constructor(options: EventFacesOptions<Face>) {
    this.#options = options;
  }

  /** Results so far, and those of them that name somebody. */
  get counts(): { decided: number; named: number } {
    return { decided: this.#decided, named: this.#named };
  }

  /** Whose faces to read in this frame. @param tentative tracks that have no event yet */
  wanted(
    seen: readonly Track[],
    tentative: readonly Track[],
    frame: FrameResult,
  ): FaceRequest | null {
    const { recognition, pictureSize } = this.#options;
    this.#forgetTentative(tentative, frame.monoMs);
    const size = pictureSize();
    return size && recognition.wanted([...seen, ...tentative], frame, size);
  }

  /** The faces that were asked for; null where the picture was gone. */
  read(request: FaceRequest, faces: readonly (Face | null)[] | null): void {
    const { decided, better } = this.#options.recognition.read(request, faces);
    for (const face of decided) this.#identified(face);
    for (const { trackId, best } of better) this.#keep(trackId, best);
  }

  begun(trackId: number, event: LiveEvent): void {
    this.#tentative.delete(trackId);
    this.#events.set(trackId, event);
    const face = this.#options.recognition.of(trackId);
    if (face === null) return;
    if (face.identity !== null) this.#identified(face);
    this.#keep(trackId, face.best);
  }

  /** What was never decided is told at the end. */
  ended(trackId: number): void {
    const { recognition } = this.#options;
    const face = recognition.of(trackId);
    const event = this.#events.get(trackId);
    if (face !== null && face.identity === null && event !== undefined) this.#tell(face, event);
    this.#events.delete(trackId);
    recognition.forget(trackId);
  }

  /** What came up since it was last taken. */
  take(): FaceNews<Face> {
    const news = { results: this.#results, best: this.#best };
    this.#results = [];
    this.#best = [];
    return news;
  }

  #identified(face: FaceOfTrack<Face>): void {
    const event = this.#events.get(face.trackId);
    if (event === undefined) return;
    event.identified(wireIdentity(face.identity), face.identity?.kind === 'unknown');
    this.#tell(face, event);
  }

  #tell(face: FaceOfTrack<Face>, { id: eventId }: LiveEvent): void {
    this.#results.push(faceResult(face, { cameraId: this.#options.cameraId, eventId }));
    this.#decided++;
    if (face.identity?.kind === 'known') this.#named++;
  }

  #keep(trackId: number, face: Face): void {
    const event = this.#events.get(trackId);
    if (event !== undefined) this.#best.push({ eventId: event.id, face });
  }

  #forgetTentative(tentative: readonly Track[], monoMs: number): void {
    for (const { id } of tentative) this.#tentative.set(id, monoMs);
    for (const [id, seenMs] of this.#tentative) {
      if (Math.abs(monoMs - seenMs) < TENTATIVE_MS) continue;
      this.#tentative.delete(id);
      this.#options.recognition.forget(id);
    }
  }
}
