/**
 * Delivery lanes, most important first (docs: delivery design, lanes).
 * 0 alerts, 1 events and faces, 2 per-frame detections, 3 state of the engine.
 */
export const LANES = [0, 1, 2, 3] as const;
export type Lane = (typeof LANES)[number];

const LANE_OF_TYPE = {
  alert_triggered: 0,
  // Never given up for want of room, as alerts: what was promised to a person.
  person_forgotten: 0,
  face_detection_result: 1,
  object_event: 1,
  // Behind its alert, which waits for no picture.
  alert_thumbnail: 1,
  ai_detection_result: 2,
  ai_engine_status: 3,
} as const satisfies Record<string, Lane>;

/** Message types that travel through the outbox. */
export type DeliveredType = keyof typeof LANE_OF_TYPE;

export const DELIVERED_TYPES = Object.keys(LANE_OF_TYPE) as readonly DeliveredType[];

export function laneOf(type: DeliveredType): Lane {
  return LANE_OF_TYPE[type];
}
