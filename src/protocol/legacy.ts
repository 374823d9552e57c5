import { z } from 'zod';

/**
 * The original Apex protocol: one JSON object a message, `{type, data, timestamp, request_id}`, every time in
 * seconds as a float, no acknowledgements. A client that identifies itself without `protocol` speaks it, and so
 * does a server whose `connection_established` names no `protocol`.
 */

const seconds = z.number();

function legacyFrame<Type extends string, Data extends z.ZodType>(type: Type, data: Data) {
  return z.looseObject({
    type: z.literal(type),
    timestamp: seconds.optional(),
    request_id: z.union([z.string(), z.number()]).nullish(),
    data,
  });
}

export const legacyIdentifySchema = legacyFrame(
  'client_identify',
  z.looseObject({
    client_type: z.string().max(64),
    auth_token: z.string().max(4096),
    client_id: z.string().min(1).max(128).optional(),
    capabilities: z.unknown().optional(),
    version: z.union([z.string(), z.number()]).optional(),
  }),
);
export type LegacyIdentify = z.infer<typeof legacyIdentifySchema>;

export const legacyHeartbeatSchema = legacyFrame(
  'heartbeat',
  z.looseObject({ client_time: seconds.optional() }).optional(),
);

const cameraId = z.string().max(128);

/** Messages that the original protocol delivers; their payloads are free beyond these fields. */
export const LEGACY_MESSAGES = {
  ai_detection_result: legacyFrame(
    'ai_detection_result',
    z.looseObject({
      camera_id: cameraId,
      detections: z.array(z.unknown()),
      timestamp: seconds.optional(),
    }),
  ),
  face_detection_result: legacyFrame(
    'face_detection_result',
    z.looseObject({
      camera_id: cameraId,
      faces: z.array(z.unknown()),
      timestamp: seconds.optional(),
    }),
  ),
  alert_triggered: legacyFrame(
    'alert_triggered',
    z.looseObject({
      type: z.string(),
      camera_id: cameraId.optional(),
      data: z.unknown().optional(),
      timestamp: seconds.optional(),
      severity: z.string().optional(),
    }),
  ),
} as const;
export type LegacyMessageType = keyof typeof LEGACY_MESSAGES;

/** The server's greeting, as far as it has to be understood; an enhanced server's names its `protocol`. */
export const legacyGreetingSchema = legacyFrame(
  'connection_established',
  z.looseObject({ protocol: z.undefined().optional() }).optional(),
);

/** What a legacy server answers to `client_identify`; its fields are free. */
export const legacyWelcomeSchema = legacyFrame('identification_success', z.unknown());

export const legacyHeartbeatAckSchema = legacyFrame('heartbeat_ack', z.unknown());

/** Seconds of the original protocol as milliseconds of this one. */
export function msOfSeconds(value: number): number {
  return Math.round(value * 1000);
}

export function secondsOfMs(value: number): number {
  return value / 1000;
}
