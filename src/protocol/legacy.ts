import { z } from 'zod';

/**
 * The original Apex protocol: one JSON object a message, `{type, data, timestamp, request_id}`, every time in
 * seconds as a float, no acknowledgements. A client that identifies itself without `protocol` speaks it, and so
 * does a server whose `connection_established` names no `protocol`. Fields beyond these are free and kept.
 */

/** Its programs are written in languages that send `null` for what they do not have. */
const seconds = z.number().nullish();

function legacyFrame<Type extends string, Data extends z.ZodType>(type: Type, data: Data) {
  return z.looseObject({
    type: z.literal(type),
    timestamp: seconds.meta({ description: 'When it was sent, seconds' }),
    request_id: z
      .union([z.string().max(128), z.number()])
      .nullish()
      .meta({ description: 'An answer carries the one of its request' }),
    data,
  });
}

/** Only this protocol has no version; a peer that names one is no legacy peer. */
const noProtocol = z.undefined().optional().describe('Not in this protocol');
const free = z.unknown().optional();
const cameraId = z.string().max(128);
const happened = seconds.meta({ description: 'When it happened, seconds' });

const legacyIdentifySchema = legacyFrame(
  'client_identify',
  z.looseObject({
    protocol: noProtocol,
    client_type: z.string().max(64).meta({ description: '`ai_engine` for an edge' }),
    auth_token: z.string().max(4096).meta({ description: 'As the hub has it in its list' }),
    client_id: z
      .string()
      .min(1)
      .max(128)
      .nullish()
      .meta({ description: 'The name of the token stands in for it' }),
    capabilities: z.unknown().optional().meta({ description: 'Ignored' }),
    version: z
      .union([z.string(), z.number()])
      .nullish()
      .meta({ description: 'Of the client program' }),
  }),
);
export type LegacyIdentify = z.infer<typeof legacyIdentifySchema>;

const legacyHeartbeatSchema = legacyFrame(
  'heartbeat',
  z
    .looseObject({ client_time: seconds.meta({ description: 'The client’s clock, seconds' }) })
    .nullish(),
);

/** Messages that the original protocol delivers; their payloads are free beyond these fields. */
export const LEGACY_MESSAGES = {
  ai_detection_result: legacyFrame(
    'ai_detection_result',
    z.looseObject({
      camera_id: cameraId,
      detections: z
        .array(z.unknown())
        .meta({ description: 'What was found; see "Detections of the original protocol"' }),
      timestamp: happened,
    }),
  ),
  face_detection_result: legacyFrame(
    'face_detection_result',
    z.looseObject({
      camera_id: cameraId,
      faces: z.array(z.unknown()).meta({ description: 'Objects, passed on as they are' }),
      timestamp: happened,
    }),
  ),
  alert_triggered: legacyFrame(
    'alert_triggered',
    z.looseObject({
      type: z.string().meta({ description: 'Kind of alert' }),
      camera_id: cameraId.nullish(),
      data: z.unknown().optional().meta({ description: 'Whatever belongs to the alert' }),
      timestamp: happened,
      severity: z
        .string()
        .nullish()
        .meta({ description: '`low`, `medium`, `high` or `critical`, in any case' }),
    }),
  ),
} as const;
export type LegacyMessageType = keyof typeof LEGACY_MESSAGES;

/** Taken from its senders, whatever it holds; a form of it that every receiver would know there is not. */
const LEGACY_STATUS = {
  ai_engine_status: legacyFrame('ai_engine_status', z.looseObject({ timestamp: happened })),
} as const;

export type LegacyMessage = z.infer<
  (typeof LEGACY_MESSAGES)[LegacyMessageType] | (typeof LEGACY_STATUS)['ai_engine_status']
>;

/** Tells what is to be stored from frames of the session. */
export function isLegacyMessage(frame: { readonly type: string }): frame is LegacyMessage {
  return Object.hasOwn(LEGACY_MESSAGES, frame.type) || Object.hasOwn(LEGACY_STATUS, frame.type);
}

/** The server's greeting, as far as it has to be understood; an enhanced server's names its `protocol`. */
export const legacyGreetingSchema = legacyFrame(
  'connection_established',
  z.looseObject({ protocol: noProtocol }).nullish(),
);

/** What a legacy server answers to `client_identify`; its fields are free. */
export const legacyWelcomeSchema = legacyFrame('identification_success', free);

export const legacyHeartbeatAckSchema = legacyFrame('heartbeat_ack', free);

const ofCamera = z.looseObject({ camera_id: cameraId });
const legacyError = legacyFrame('error', free);

/**
 * Requests of viewers for a camera's stream, and their answers. The original programs answer starts only; answers
 * to stops and changes have come since, and whoever does not know them passes over them.
 */
const STREAM_ANSWERS = {
  stream_start_success: legacyFrame('stream_start_success', ofCamera),
  stream_start_error: legacyFrame('stream_start_error', z.looseObject({})),
  stream_stop_success: legacyFrame('stream_stop_success', ofCamera),
  stream_stop_error: legacyFrame('stream_stop_error', z.looseObject({})),
  stream_quality_success: legacyFrame('stream_quality_success', ofCamera),
  stream_quality_error: legacyFrame('stream_quality_error', z.looseObject({})),
} as const;

/** Frames that a client of the original protocol sends, by type. */
export const LEGACY_CLIENT_FRAMES = {
  client_identify: legacyIdentifySchema,
  heartbeat: legacyHeartbeatSchema,
  ...LEGACY_MESSAGES,
  ...LEGACY_STATUS,
  stream_start_request: legacyFrame('stream_start_request', ofCamera),
  stream_stop_request: legacyFrame('stream_stop_request', ofCamera),
  stream_quality_change: legacyFrame('stream_quality_change', ofCamera),
  ...STREAM_ANSWERS,
  error: legacyError,
} as const;
export type LegacyClientFrame = z.infer<
  (typeof LEGACY_CLIENT_FRAMES)[keyof typeof LEGACY_CLIENT_FRAMES]
>;

/** Frames that a server of the original protocol sends, by type; it passes messages on as they came. */
export const LEGACY_SERVER_FRAMES = {
  connection_established: legacyGreetingSchema,
  identification_success: legacyWelcomeSchema,
  heartbeat_ack: legacyHeartbeatAckSchema,
  start_stream_processing: legacyFrame('start_stream_processing', ofCamera),
  stop_stream_processing: legacyFrame('stop_stream_processing', ofCamera),
  change_stream_processing: legacyFrame('change_stream_processing', ofCamera),
  ...STREAM_ANSWERS,
  ...LEGACY_MESSAGES,
  ...LEGACY_STATUS,
  error: legacyError,
} as const;
export type LegacyServerFrame = z.infer<
  (typeof LEGACY_SERVER_FRAMES)[keyof typeof LEGACY_SERVER_FRAMES]
>;

/** Beyond this a Date cannot go (ECMA-262, time values); a device clock may say anything. */
const MAX_TIME_MS = 8.64e15;

/** Seconds of the original protocol as milliseconds of this one. */
export function msOfSeconds(value: number): number {
  return Math.max(-MAX_TIME_MS, Math.min(MAX_TIME_MS, Math.round(value * 1000)));
}

export function secondsOfMs(value: number): number {
  return value / 1000;
}
