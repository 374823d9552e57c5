import type { FaceSample } from '../faces/contract.ts';
import type { FaceOfTrack } from '../faces/recognition/camera-faces.ts';
import type { Identity } from '../faces/recognition/track-identity.ts';
import type { EventIdentity, FaceDetectionResult } from '../protocol/payloads.ts';
import { wireBox, wireScore } from './wire-numbers.ts';

/** Who it is, as the wire carries it; null for somebody unknown or not yet decided. */
export function wireIdentity(identity: Identity | null): EventIdentity | null {
  if (identity?.kind !== 'known') return null;
  const { person, similarity } = identity;
  return {
    person_id: person.personId,
    name: person.name,
    confidence: wireScore(Math.max(0, similarity)),
    threat_level: person.threatLevel,
  };
}

/** What is known of the face of an event. */
export function faceResult(
  face: FaceOfTrack<FaceSample>,
  { cameraId, eventId }: { readonly cameraId: string; readonly eventId: string },
): FaceDetectionResult {
  const { trackId, identity, best, looks, wallMs } = face;
  const known = wireIdentity(identity);
  return {
    camera_id: cameraId,
    timestamp: Math.round(wallMs),
    faces: [
      {
        // One for each stay of a person: a face that is seen again on the way has the same.
        face_id: `${eventId}-face`,
        event_id: eventId,
        track_id: trackId,
        person_id: known?.person_id ?? null,
        name: known?.name ?? null,
        confidence: known?.confidence ?? wireScore(Math.max(0, identity?.similarity ?? 0)),
        bounding_box: wireBox(best.box),
        is_known: known !== null,
        threat_level: known?.threat_level ?? 'unknown',
        is_decided: identity !== null,
        looks,
        quality: wireScore(best.quality),
        width_px: Math.round(best.widthPx),
      },
    ],
  };
}
