import { z } from 'zod';
import { LIMITS } from './limits.ts';

/**
 * Frames of one connection: `{type, timestamp, request_id?, data}` as JSON text.
 * Times are Unix milliseconds, `mono_ms` the sender's monotonic clock. Unknown fields are ignored.
 */

const timestamp = z.number();
const monoMs = z.number();
const epoch = z.uuid();
const lane = z.literal([0, 1, 2, 3]);
const seq = z.int().min(1);
const count = z.int().min(0);
const streamKey = { epoch, lane };
const capabilities = z.array(z.string()).default([]);
/** Messages waiting per lane, by lane number. */
const pending = z.record(z.string(), count);

function frame<Type extends string, Data extends z.ZodType>(type: Type, data: Data) {
  return z.object({
    type: z.literal(type),
    timestamp,
    request_id: z.string().max(128).optional(),
    data,
  });
}

/** Kinds of client. `ai_engine` is an edge: the only kind that delivers messages. */
export const CLIENT_TYPES = ['ai_engine', 'frontend', 'desktop_app', 'mobile_app'] as const;
export type ClientType = (typeof CLIENT_TYPES)[number];

/** What a peer of this version can do beyond single messages. */
export const CAPABILITIES = ['batch', 'resume', 'credit'] as const;
export const PROTOCOL_VERSION = 2;

const connectionEstablishedSchema = frame(
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
const clientStreamSchema = z.object({ ...streamKey, first_seq: seq, next_seq: seq });
export type ClientStream = z.infer<typeof clientStreamSchema>;

const clientIdentifySchema = frame(
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

/** Everything of the stream up to `acked_through` is on the server's disk; `first_seq - 1` when nothing is. */
const streamAckSchema = z.object({ ...streamKey, acked_through: count });
export type StreamAck = z.infer<typeof streamAckSchema>;

/** What the client may have in flight. */
const flowSchema = z.object({ credit_messages: count, credit_bytes: count });
export type FlowCredit = z.infer<typeof flowSchema>;

const identificationSuccessSchema = frame(
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

const heartbeatSchema = frame(
  'heartbeat',
  z.object({
    mono_ms: monoMs,
    pending: pending.optional(),
    disk: z.object({ used: count, budget: count }).optional(),
  }),
);

const heartbeatAckSchema = frame(
  'heartbeat_ack',
  z.object({ client_timestamp: timestamp, server_time: timestamp }),
);

/** One message of a batch. `type` and `data` are judged by the receiver; a type it does not know is kept as it is. */
const messageItemSchema = z.object({
  seq,
  message_id: z.uuid(),
  type: z.string().min(1).max(64),
  schema_version: z.int().min(1),
  /** When it happened at the sender. */
  timestamp,
  mono_ms: monoMs,
  /** Waited long before it was sent: to be stored, not shown as live. */
  replayed: z.boolean().optional(),
  data: z.unknown(),
});
export type MessageItem = z.infer<typeof messageItemSchema>;

/** Says that the numbers `from_seq..to_seq` will never come, so that a loss is declared and the lane goes on. */
export const gapSchema = z.object({
  from_seq: seq,
  to_seq: seq,
  count,
  bytes: count.optional(),
  /**
   * `disk_budget`, `ttl`, `unclean_shutdown`, `storage_corruption`, `poison`, `hub_regression`;
   * more may come.
   */
  reason: z.string().max(64),
  first_wall_ms: timestamp.optional(),
  last_wall_ms: timestamp.optional(),
  by_camera: z.record(z.string(), count).optional(),
});
export type Gap = z.infer<typeof gapSchema>;

const gapItemSchema = z.object({ seq, gap: gapSchema });
export type GapItem = z.infer<typeof gapItemSchema>;

export type BatchItem = MessageItem | GapItem;

export function isGapItem(item: BatchItem): item is GapItem {
  return 'gap' in item;
}

/** Items of one lane of one epoch, numbers ascending and without holes from `first_seq` on. */
const messageBatchSchema = frame(
  'message_batch',
  z.object({
    ...streamKey,
    first_seq: seq,
    items: z
      .array(z.union([gapItemSchema, messageItemSchema]))
      .min(1)
      .max(LIMITS.windowMessages),
  }),
);
export type MessageBatch = z.infer<typeof messageBatchSchema>;

const batchAckSchema = frame(
  'batch_ack',
  z.object({
    acks: z.array(streamAckSchema),
    /** Items of the batch that `request_id` names. `quarantined`: kept by the server, and not to be sent again. */
    rejected: z
      .array(z.object({ seq, code: z.string(), message: z.string(), quarantined: z.boolean() }))
      .default([]),
    flow: flowSchema.optional(),
  }),
);
export type BatchAck = z.infer<typeof batchAckSchema>;

const flowUpdateSchema = frame(
  'flow_update',
  z.object({
    credit_messages: count,
    credit_bytes: count,
    reason: z.string().optional(),
    resume_after_ms: count.optional(),
  }),
);

/** The server needs the stream from `expected_seq` on again. */
const resyncRequiredSchema = frame(
  'resync_required',
  z.object({ ...streamKey, expected_seq: seq, reason: z.string() }),
);
export type ResyncRequired = z.infer<typeof resyncRequiredSchema>;

const filter = z.array(z.string().max(128)).max(256);

/** Replaces the connection's subscription. `*` stands for every type or camera. */
const subscribeSchema = frame(
  'subscribe',
  z.object({
    types: filter.min(1),
    cameras: filter.min(1).default(['*']),
    /** Send what was stored after this event first. */
    after_event_id: count.optional(),
  }),
);
export type Subscribe = z.infer<typeof subscribeSchema>;

/** The subscription now in force; no types after `unsubscribe`. */
const subscriptionSuccessSchema = frame(
  'subscription_success',
  z.object({
    types: filter,
    cameras: filter,
    /** Newest stored event at this moment; 0 when there is none. */
    last_event_id: count,
  }),
);

const unsubscribeSchema = frame('unsubscribe', z.object({}));

const serverDrainingSchema = frame(
  'server_draining',
  z.object({ reconnect_after_ms: count, deadline_ms: count }),
);

const clientGoodbyeSchema = frame('client_goodbye', z.object({ pending: pending.optional() }));

const errorSchema = frame(
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

/** A delivered message as subscribers get it: its own type and data, with where it came from. */
export const broadcastEventSchema = z.object({
  type: z.string(),
  /** When it happened at the edge. */
  timestamp,
  event_id: z.int().min(1),
  client_id: z.string(),
  replayed: z.boolean().optional(),
  schema_version: z.int().optional(),
  data: z.unknown(),
});
export type BroadcastEvent = z.infer<typeof broadcastEventSchema>;

/** Frames that a client sends, by type. */
export const CLIENT_FRAMES = {
  client_identify: clientIdentifySchema,
  heartbeat: heartbeatSchema,
  message_batch: messageBatchSchema,
  subscribe: subscribeSchema,
  unsubscribe: unsubscribeSchema,
  client_goodbye: clientGoodbyeSchema,
  error: errorSchema,
} as const;
export type ClientFrame = z.infer<(typeof CLIENT_FRAMES)[keyof typeof CLIENT_FRAMES]>;

/** Frames that a server sends, by type; broadcast events come beside them. */
export const SERVER_FRAMES = {
  connection_established: connectionEstablishedSchema,
  identification_success: identificationSuccessSchema,
  heartbeat_ack: heartbeatAckSchema,
  batch_ack: batchAckSchema,
  flow_update: flowUpdateSchema,
  resync_required: resyncRequiredSchema,
  subscription_success: subscriptionSuccessSchema,
  server_draining: serverDrainingSchema,
  error: errorSchema,
} as const;
export type ServerFrame = z.infer<(typeof SERVER_FRAMES)[keyof typeof SERVER_FRAMES]>;
