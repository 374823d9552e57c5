import { z } from 'zod';
import { flowSchema, streamAckSchema } from './batch.ts';
import { count, frame, monoMs, seq, streamKey, timestamp } from './frame-parts.ts';

/** Frames by which two peers get to know each other, show that they are alive and part. */

const capabilities = z.array(z.string()).default([]);
/** Messages waiting per lane, by lane number. */
const pending = z.record(z.string(), count);

/** Kinds of client. `ai_engine` is an edge: the only kind that delivers messages. */
export const CLIENT_TYPES = ['ai_engine', 'frontend', 'desktop_app', 'mobile_app'] as const;
export type ClientType = (typeof CLIENT_TYPES)[number];

/** What a peer of this version can do beyond single messages. */
export const CAPABILITIES = ['batch', 'resume', 'credit', 'deflate_raw'] as const;
export const PROTOCOL_VERSION = 2;

export const connectionEstablishedSchema = frame(
  'connection_established',
  z.object({
    connection_id: z.string(),
    server_time: timestamp,
    protocol: z.object({ min: z.int(), max: z.int() }),
    capabilities,
    limits: z.object({
      max_frame_bytes: count,
      identify_timeout_ms: count,
      heartbeat_ms: count,
    }),
  }),
);
export type ConnectionEstablished = z.infer<typeof connectionEstablishedSchema>;

/** One stream is one lane of one epoch; `next_seq` is the number that its next new message gets. */
const clientStreamSchema = z.object({
  ...streamKey,
  first_seq: seq,
  next_seq: seq,
  /** Boot of the client in which the stream was written: `mono_ms` of its messages are of that boot. */
  boot_id: z.string().max(64).optional(),
});
export type ClientStream = z.infer<typeof clientStreamSchema>;

export const clientIdentifySchema = frame(
  'client_identify',
  z.object({
    client_id: z.string().min(1).max(128),
    client_type: z.enum(CLIENT_TYPES),
    auth: z.object({ token: z.string().max(4096) }),
    protocol: z.int(),
    capabilities,
    /** Identifies one run of the client's kernel: `mono_ms` compares only within one. */
    boot_id: z.string().max(64).optional(),
    /** As given by the last `identification_success`. */
    session_token: z.string().max(256).nullable().optional(),
    clock: z.object({ synced: z.boolean().optional(), mono_ms: monoMs }).optional(),
    schema_versions: z.record(z.string(), z.int()).optional(),
    /** As many as fit into a frame of a client that is not yet known; the rest after these are delivered. */
    resume: z.object({ streams: z.array(clientStreamSchema).max(128) }).optional(),
  }),
);
export type ClientIdentify = z.infer<typeof clientIdentifySchema>;

export const identificationSuccessSchema = frame(
  'identification_success',
  z.object({
    session_token: z.string(),
    /** Names the server's database; another one means that it was replaced. */
    store_id: z.string(),
    server_time: timestamp,
    resume: z.object({ streams: z.array(streamAckSchema) }),
    flow: flowSchema,
    reconnect: z.object({ base_ms: z.number().positive(), cap_ms: z.number().positive() }),
  }),
);
export type IdentificationSuccess = z.infer<typeof identificationSuccessSchema>;

export const heartbeatSchema = frame(
  'heartbeat',
  z.object({
    mono_ms: monoMs,
    pending: pending.optional(),
    disk: z.object({ used: count, budget: count }).optional(),
    /**
     * The client's estimate from earlier heartbeats: `offset_ms` is the server's wall clock less the client's
     * monotonic one (four timestamps as in RFC 5905, section 8), `synced` whether its wall clock is set by NTP.
     */
    clock: z
      .object({
        synced: z.boolean().optional(),
        offset_ms: z.number().optional(),
        round_trip_ms: z.number().min(0).optional(),
      })
      .optional(),
  }),
);

/** `server_time` is when the answer was sent; `received_time` when the heartbeat came. */
export const heartbeatAckSchema = frame(
  'heartbeat_ack',
  z.object({
    client_timestamp: timestamp,
    server_time: timestamp,
    received_time: timestamp.optional(),
  }),
);

export const serverDrainingSchema = frame(
  'server_draining',
  z.object({ reconnect_after_ms: count, deadline_ms: count }),
);

export const clientGoodbyeSchema = frame(
  'client_goodbye',
  z.object({ pending: pending.optional() }),
);

export const errorSchema = frame(
  'error',
  z.object({
    /** `auth_failed`, `epoch_fork`, `unknown_type`, `invalid_frame` and more. */
    code: z.string(),
    message: z.string(),
    retryable: z.boolean(),
    retry_after_ms: count.optional(),
  }),
);
export type ErrorFrame = z.infer<typeof errorSchema>;
