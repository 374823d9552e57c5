import { z } from 'zod';
import { boundingBoxSchema, wireDetectionSchema } from './detection.ts';
import type { DeliveredType } from './lanes.ts';

/** All timestamps: Unix time in milliseconds. */
const timestamp = z.number();

export const aiDetectionResultSchema = z.object({
  camera_id: z.string(),
  timestamp,
  detections: z.array(wireDetectionSchema),
  frame_id: z.number().int().optional(),
  inference_ms: z.number().optional(),
  /** The model that found these; `test-detector` results are not real. */
  model: z.string().optional(),
});
export type AiDetectionResult = z.infer<typeof aiDetectionResultSchema>;

/** One object's stay in a camera's view. Sent at its start (`new`), on change (`update`) and at its `end`. */
export const objectEventSchema = z.object({
  phase: z.enum(['new', 'update', 'end']),
  event_id: z.string(),
  camera_id: z.string(),
  type: z.string(),
  label: z.string(),
  track_id: z.number().int(),
  /** First and last time that the object was seen. */
  start_time: timestamp,
  last_seen_time: timestamp,
  /** Null while the event goes on. */
  end_time: timestamp.nullable(),
  /** Why the event ended; absent while it goes on. */
  end_reason: z.enum(['left', 'camera_lost', 'shutdown', 'restart']).optional(),
  /** Median score over the track. */
  score: z.number(),
  top_score: z.number(),
  bounding_box: boundingBoxSchema,
  has_snapshot: z.boolean(),
  model: z.string(),
  timestamp,
});
export type ObjectEvent = z.infer<typeof objectEventSchema>;

const alertTriggeredSchema = z.object({
  type: z.string(),
  camera_id: z.string(),
  severity: z.enum(['low', 'medium', 'high', 'critical']),
  timestamp,
  data: z.record(z.string(), z.unknown()),
});

const faceDetectionResultSchema = z.object({
  camera_id: z.string(),
  timestamp,
  faces: z.array(z.record(z.string(), z.unknown())),
});

/** State of an edge and its cameras; the newest one replaces the older. */
const aiEngineStatusSchema = z.object({
  timestamp,
  status: z.enum(['running', 'degraded', 'stopping']),
  provider: z.string().nullable(),
  model: z.string(),
  cameras: z.array(
    z.object({
      camera_id: z.string(),
      state: z.string(),
      fps: z.number(),
      error_code: z.string().optional(),
      error_message: z.string().optional(),
    }),
  ),
});
export type AiEngineStatus = z.infer<typeof aiEngineStatusSchema>;

/** Schema and current version of every delivered message. Versions only ever add fields. */
export const PAYLOADS = {
  alert_triggered: { version: 1, schema: alertTriggeredSchema },
  face_detection_result: { version: 1, schema: faceDetectionResultSchema },
  object_event: { version: 1, schema: objectEventSchema },
  ai_detection_result: { version: 1, schema: aiDetectionResultSchema },
  ai_engine_status: { version: 1, schema: aiEngineStatusSchema },
} as const satisfies Record<DeliveredType, { version: number; schema: z.ZodType }>;
