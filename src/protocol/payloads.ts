import { z } from 'zod';
import { boundingBoxSchema, wireDetectionSchema } from './detection.ts';
import { timestamp as ms, prose, word } from './frame-parts.ts';
import { DELIVERED_TYPES, type DeliveredType } from './lanes.ts';

/**
 * What the delivered messages carry. Bounds hold off what no camera site can mean: a message beyond them is
 * quarantined, so they are wide.
 */

const timestamp = ms.describe('When it happened, Unix milliseconds');
/** Cameras, labels and models have names of people's own making. */
const name = z.string().max(256);
const camera = name.describe('The camera');
/** Edges have at most 64 zones on a camera. */
const zoneNames = z.array(name).max(256);

export const aiDetectionResultSchema = z
  .object({
    camera_id: camera,
    timestamp,
    detections: z
      .array(wireDetectionSchema)
      .max(1024)
      .describe('What the frame shows; may be empty'),
    frame_id: z.number().int().optional().describe('Number of the frame'),
    inference_ms: z.number().optional().describe('What the model took, milliseconds'),
    model: name
      .optional()
      .describe('The model that found these; results of `test-detector` are not real'),
  })
  .describe('What one frame of one camera shows.');
export type AiDetectionResult = z.infer<typeof aiDetectionResultSchema>;

export const THREAT_LEVELS = ['safe', 'unknown', 'watch_list', 'threat'] as const;

const identitySchema = z
  .object({
    person_id: name,
    name,
    confidence: z.number().describe('Cosine of the embeddings, mean over the looks, 0..1'),
    threat_level: z.enum(THREAT_LEVELS),
  })
  .describe('Who it is');
export type EventIdentity = z.infer<typeof identitySchema>;

export const objectEventSchema = z
  .object({
    phase: z
      .enum(['new', 'update', 'end'])
      .describe('Sent at its start (`new`), on change (`update`) and at its `end`'),
    event_id: name.describe('The same in all messages of one stay'),
    camera_id: camera,
    type: name.describe('`person`, `vehicle`, `package`, `animal` or the label'),
    label: name.describe('The model’s own word'),
    track_id: z.number().int().describe('The track within its camera'),
    start_time: ms.describe('First time that the object was seen, Unix milliseconds'),
    last_seen_time: ms.describe('Last time, Unix milliseconds'),
    end_time: ms.nullable().describe('Null while the event goes on'),
    end_reason: z
      .enum(['left', 'camera_lost', 'shutdown', 'restart'])
      .optional()
      .describe('Absent while it goes on'),
    score: z.number().describe('Median over the track, 0..1'),
    top_score: z.number().describe('Best of the track, 0..1'),
    bounding_box: boundingBoxSchema.describe('Where the object was seen last'),
    has_snapshot: z.boolean().describe('The edge keeps a picture'),
    snapshot_box: boundingBoxSchema
      .optional()
      .describe('Where the object is in the picture that the edge keeps'),
    current_zones: zoneNames
      .optional()
      .describe('Zones that it is in, or was when it was seen last; absent without zones'),
    entered_zones: zoneNames
      .optional()
      .describe('Zones that it is or was in since its start, in the order of entry'),
    identity: identitySchema.optional().describe('Of a person whose face is known'),
    model: name.describe('The model that found it'),
    timestamp,
  })
  .describe('One object’s stay in a camera’s view.');
export type ObjectEvent = z.infer<typeof objectEventSchema>;

const freeFields = z.record(z.string(), z.unknown());

export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

const alertTriggeredSchema = z
  .object({
    type: name.describe('Kind of alert'),
    camera_id: camera.optional().describe('The camera, where it is about exactly one'),
    camera_ids: z
      .array(camera)
      .min(1)
      .max(1024)
      .optional()
      .describe('The cameras, where it is about several; with neither it is about the edge itself'),
    severity: z.enum(SEVERITIES),
    timestamp,
    alert_id: name.optional().describe('Names its evidence'),
    has_clip: z.boolean().optional().describe('The edge makes a clip of it'),
    data: freeFields.describe(
      'Whatever belongs to the alert; of several cameras an entry each in `cameras`',
    ),
  })
  .describe('Something that people have to know at once.');
export type AlertTriggered = z.infer<typeof alertTriggeredSchema>;

/** Characters of base64; a picture of 320 pixels in a day's light has about 20,000. */
export const MAX_THUMBNAIL_CHARACTERS = 48 * 1024;

const alertThumbnailSchema = z
  .object({
    alert_id: name.describe('The `alert_id` of its alert, which may come before or after it'),
    event_id: name.optional().describe('The event that the alert names'),
    camera_id: camera,
    timestamp,
    width: z.number().int().min(1).max(4096).describe('Pixels'),
    height: z.number().int().min(1).max(4096).describe('Pixels'),
    jpeg: z
      .string()
      .max(MAX_THUMBNAIL_CHARACTERS)
      .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'base64')
      .describe('The picture as base64; empty where it was taken back since'),
  })
  .describe('What raised an alert: the object and what is around it.');
export type AlertThumbnail = z.infer<typeof alertThumbnailSchema>;

const faceDetectionResultSchema = z
  .object({
    camera_id: camera,
    timestamp,
    faces: z
      .array(freeFields)
      .max(1024)
      .describe(
        'One object a face; edges give `face_id`, `event_id`, `track_id`, `person_id`, `name`, `confidence`, ' +
          '`bounding_box`, `is_known`, `threat_level`, `is_decided`, `looks`, `quality` and `width_px`',
      ),
  })
  .describe('Whose faces were seen on one camera: told when it is decided, and when that changes.');
export type FaceDetectionResult = z.infer<typeof faceDetectionResultSchema>;

const aiEngineStatusSchema = z
  .object({
    timestamp,
    status: z.enum(['running', 'degraded', 'stopping']).describe('`degraded`: a camera fails'),
    provider: name.nullable().describe('What the model runs on; null before it runs'),
    model: name.describe('The model in use'),
    cameras: z
      .array(
        z.object({
          camera_id: camera,
          state: word.describe('`streaming`, `connecting`, `failed` and more'),
          fps: z.number().describe('Frames analysed per second'),
          error_code: word.optional().describe('Why it fails (docs/errors.md)'),
          error_message: prose().optional().describe('The same for people'),
        }),
      )
      .max(1024),
  })
  .describe('State of an edge and its cameras; the newest one replaces the older.');
export type AiEngineStatus = z.infer<typeof aiEngineStatusSchema>;

const personForgottenSchema = z
  .object({
    person_id: z.string().min(8).max(128).describe('Who; an id with a random end, and no name'),
    timestamp,
  })
  .describe(
    'Order to the server: nothing that this edge delivered tells of this person any more. The server takes id and ' +
      'name out of all stored messages of the edge, then out of this one; it is shown to nobody.',
  );

/** Schema and current version of every delivered message. Versions only ever add fields. */
export const PAYLOADS = {
  alert_triggered: { version: 1, schema: alertTriggeredSchema },
  face_detection_result: { version: 1, schema: faceDetectionResultSchema },
  object_event: { version: 1, schema: objectEventSchema },
  alert_thumbnail: { version: 1, schema: alertThumbnailSchema },
  ai_detection_result: { version: 1, schema: aiDetectionResultSchema },
  ai_engine_status: { version: 1, schema: aiEngineStatusSchema },
  person_forgotten: { version: 1, schema: personForgottenSchema },
} as const satisfies Record<DeliveredType, { version: number; schema: z.ZodType }>;

/** The newest version of every payload that this program knows, for `schema_versions` of an introduction. */
export function payloadVersions(): Record<DeliveredType, number> {
  const versions = DELIVERED_TYPES.map((type) => [type, PAYLOADS[type].version]);
  return Object.fromEntries(versions) as Record<DeliveredType, number>;
}
