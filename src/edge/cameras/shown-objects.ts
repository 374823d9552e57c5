import type { SeenObject } from '../../events/rules/alert.ts';
import { wireBox, wireScore } from '../../events/wire-numbers.ts';
import type { LiveObject } from '../../protocol/local-api/live-picture.ts';

/** Objects as they are drawn over the picture of their frame. */
export function shownObjects(objects: readonly SeenObject[]): LiveObject[] {
  return objects.map(({ track, eventId, identity }) => ({
    track_id: track.id,
    event_id: eventId,
    label: track.label,
    score: wireScore(track.score),
    box: wireBox(track.box),
    ...(identity !== null && { name: identity.name, threat_level: identity.threat_level }),
  }));
}
