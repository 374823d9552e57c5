import { type BoundingBox, detectionType } from '../../protocol/detection.ts';
import { iou } from '../../tracking/box.ts';
import type { Track } from '../../tracking/types.ts';
import type { FaceSample, KnownPerson } from '../contract.ts';
import { FaceAttempts } from './attempts.ts';
import { type Identity, type IdentityLimits, TrackIdentity } from './track-identity.ts';

export interface CameraFacesOptions {
  readonly limits: IdentityLimits;
  /** Of a face that can be compared, pixels. */
  readonly minWidthPx: number;
  /** Whom the gallery knows now. */
  readonly people: () => readonly KnownPerson[];
}

/** Whose faces to read in the picture of a frame. */
export interface FaceRequest {
  readonly frameId: number;
  readonly monoMs: number;
  readonly wallMs: number;
  readonly persons: readonly { readonly trackId: number; readonly box: BoundingBox }[];
}

/** What is known of the face of a track. */
export interface FaceOfTrack<Face extends FaceSample> {
  readonly trackId: number;
  /** Null while nothing is decided. */
  readonly identity: Identity | null;
  /** The best face so far. */
  readonly best: Face;
  /** Newest faces of the track that were compared. */
  readonly looks: number;
  /** Of the frame of the newest one. */
  readonly wallMs: number;
}

/** What follows from the faces of a frame. */
export interface FaceChanges<Face extends FaceSample> {
  /** Decided now, or otherwise than before. */
  readonly decided: readonly FaceOfTrack<Face>[];
  /** Whose face was never seen so well. */
  readonly better: readonly FaceOfTrack<Face>[];
}

interface Followed<Face extends FaceSample> {
  readonly identity: TrackIdentity;
  best: Face | null;
  decided: string | null;
  wallMs: number;
}

/** Two boxes of one face. */
const SAME_FACE = 0.5;

/**
 * Faces of one camera: whom to look at, and who they are. Tracks may be given before they are confirmed, so that a
 * face which soon turns away is not missed. Pure: time and people come in.
 */
export class CameraFaces<Face extends FaceSample> {
  readonly #options: CameraFacesOptions;
  readonly #attempts: FaceAttempts;
  readonly #tracks = new Map<number, Followed<Face>>();
  #isAsking = false;

  constructor(options: CameraFacesOptions) {
    this.#options = options;
    this.#attempts = new FaceAttempts(options.minWidthPx);
  }

  /**
   * Whose faces to read in this frame; null for nobody. Until the answer is in nothing more is asked for.
   * @param seen tracks seen in the frame
   * @param picture size of the pictures that are kept, pixels
   */
  wanted(
    seen: readonly Track[],
    frame: { readonly frameId: number; readonly monoMs: number; readonly wallMs: number },
    picture: { readonly width: number; readonly height: number },
  ): FaceRequest | null {
    if (this.#isAsking) return null;
    const people = seen.filter(({ label }) => detectionType(label) === 'person');
    const persons = this.#attempts.choose(
      people.map(({ id, box }) => ({ trackId: id, box })),
      picture,
      frame.monoMs,
    );
    if (persons.length === 0) return null;
    this.#isAsking = true;
    const { frameId, monoMs, wallMs } = frame;
    return { frameId, monoMs, wallMs, persons };
  }

  /** @param faces by person of the request; null where none is seen, or the picture was gone */
  read(request: FaceRequest, faces: readonly (Face | null)[] | null): FaceChanges<Face> {
    this.#isAsking = false;
    const own = faces === null ? null : withoutDoubles(faces, request);
    const changes: { decided: FaceOfTrack<Face>[]; better: FaceOfTrack<Face>[] } = {
      decided: [],
      better: [],
    };
    request.persons.forEach(({ trackId }, index) => {
      const face = own?.[index] ?? null;
      if (face === null || face.doubt !== null || face.embedding === null) {
        const outcome = own === null ? 'picture_gone' : 'in_vain';
        this.#attempts.looked(trackId, outcome, request.monoMs);
        return;
      }
      const { isDecided, isChange, isBetter } = this.#look(trackId, face, request.wallMs);
      this.#attempts.looked(trackId, isDecided ? 'decided' : 'compared', request.monoMs);
      const now = this.of(trackId);
      if (now !== null && isChange) changes.decided.push(now);
      if (now !== null && isBetter) changes.better.push(now);
    });
    return changes;
  }

  /** What is known of the face of a track; null where none was seen that can be compared. */
  of(trackId: number): FaceOfTrack<Face> | null {
    const followed = this.#tracks.get(trackId);
    if (followed === undefined || followed.best === null) return null;
    const { identity, best, wallMs } = followed;
    return { trackId, identity: identity.identity, best, looks: identity.looks, wallMs };
  }

  /** The track has ended, or was nothing. */
  forget(trackId: number): void {
    this.#tracks.delete(trackId);
    this.#attempts.forget(trackId);
  }

  #look(
    trackId: number,
    face: Face,
    wallMs: number,
  ): { isDecided: boolean; isChange: boolean; isBetter: boolean } {
    const followed = this.#follow(trackId);
    const isBetter = face.quality > (followed.best?.quality ?? 0);
    if (isBetter) followed.best = face;
    followed.wallMs = wallMs;
    const identity = followed.identity.see(face, this.#options.people());
    const word = identity && wordOf(identity);
    const isChange = word !== followed.decided;
    followed.decided = word;
    return { isDecided: identity !== null, isChange, isBetter };
  }

  #follow(trackId: number): Followed<Face> {
    let followed = this.#tracks.get(trackId);
    if (followed === undefined) {
      const identity = new TrackIdentity(this.#options.limits);
      followed = { identity, best: null, decided: null, wallMs: 0 };
      this.#tracks.set(trackId, followed);
    }
    return followed;
  }
}

function wordOf(identity: Identity): string {
  return identity.kind === 'known' ? identity.person.personId : '';
}

/** A face that two people claim is of whom it is nearer the head of: in the middle of the box, at its top. */
function withoutDoubles<Face extends FaceSample>(
  faces: readonly (Face | null)[],
  { persons }: FaceRequest,
): (Face | null)[] {
  const distance = (index: number): number => {
    const [face, box] = [faces[index], persons[index]?.box];
    if (!face || !box) return Number.POSITIVE_INFINITY;
    const x = face.box.x + face.box.width / 2 - box.x - box.width / 2;
    const y = face.box.y - box.y;
    return Math.hypot(x / box.width, y / box.height);
  };
  return faces.map((face, index) => {
    if (face === null) return null;
    const isClaimed = faces.some(
      (other, at) =>
        at !== index &&
        other !== null &&
        iou(face.box, other.box) > SAME_FACE &&
        (distance(at) < distance(index) || (distance(at) === distance(index) && at < index)),
    );
    return isClaimed ? null : face;
  });
}
