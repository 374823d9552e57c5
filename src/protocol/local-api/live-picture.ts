import type { BoundingBox } from '../detection.ts';
import type { EventIdentity } from '../payloads.ts';

/** What lies over a live picture: the header `X-Apex-Objects` of its part holds a list of these, as JSON in ASCII. */
export interface LiveObject {
  readonly track_id: number;
  readonly event_id: string;
  readonly label: string;
  /** 0..1 */
  readonly score: number;
  /** Relative to the picture. */
  readonly box: BoundingBox;
  /** Of somebody who is known. */
  readonly name?: string;
  readonly threat_level?: EventIdentity['threat_level'];
}
