import { z } from 'zod';
import { flowSchema, streamAckSchema } from './batch.ts';
import {
  cameraId,
  count,
  frame,
  mapOf,
  monoMs,
  prose,
  seq,
  streamKey,
  timestamp,
  word,
} from './frame-parts.ts';

/** Frames by which two peers get to know each other, show that they are alive and part. */

const capabilities = z
  .array(word)
  .max(64)
  .default([])
  .describe(
    'What the sender can do: `batch`, `resume`, `credit`, `deflate_raw`, an edge `evidence`; more may come',
  );
const pending = mapOf(count, 16, 8).optional().describe('Messages waiting, by lane number');
const serverTime = timestamp.describe('The server’s clock as it sent this, Unix milliseconds');
const bootId = z.string().max(64).optional();

/** Kinds of client. `ai_engine` is an edge: the only kind that delivers messages. */
export const CLIENT_TYPES = ['ai_engine', 'frontend', 'desktop_app', 'mobile_app'] as const;
export type ClientType = (typeof CLIENT_TYPES)[number];

/** What a peer of this version can do beyond single messages. */
export const CAPABILITIES = ['batch', 'resume', 'credit', 'deflate_raw'] as const;
export const PROTOCOL_VERSION = 2;

export const connectionEstablishedSchema = frame(
  'connection_established',
  'The server’s greeting, at once after the WebSocket handshake.',
  z.object({
    connection_id: z.string().max(128).describe('Names the connection in the server’s log'),
    server_time: serverTime,
    protocol: z
      .object({
        min: z.int().describe('Oldest protocol version that the server speaks'),
        max: z.int().describe('Newest one'),
      })
      .describe('Without it the server speaks the original protocol'),
    capabilities,
    limits: z.object({
      max_frame_bytes: count.describe('Largest frame that the server takes'),
      max_viewer_frame_bytes: count
        .optional()
        .describe('Largest frame that it takes of clients other than an `ai_engine`'),
      identify_timeout_ms: count.describe('Time until `client_identify` has to be there'),
      heartbeat_ms: count.describe('A client silent for so long sends a heartbeat'),
    }),
  }),
);
export type ConnectionEstablished = z.infer<typeof connectionEstablishedSchema>;

const clientStreamSchema = z.object({
  ...streamKey,
  first_seq: seq.describe('Number of its first message that the client may still have'),
  next_seq: seq.describe('Number that its next new message gets'),
  boot_id: bootId.describe(
    'Boot in which the stream was written, where that is not the present one',
  ),
});
export type ClientStream = z.infer<typeof clientStreamSchema>;

/** Cameras of one edge that can be announced. */
export const MAX_CAMERAS = 256;
const cameras = z.array(cameraId).max(MAX_CAMERAS);

export const clientIdentifySchema = frame(
  'client_identify',
  'Who the client is and what it still has to deliver; its first frame.',
  z.object({
    client_id: z
      .string()
      .min(1)
      .max(128)
      .describe('Stays the same for the life of the installation'),
    client_type: z
      .enum(CLIENT_TYPES)
      .describe('`ai_engine` delivers messages; the others subscribe'),
    auth: z.object({ token: z.string().max(4096).describe('As the server has it in its list') }),
    protocol: z.int().describe('Version that the client speaks, 2; without it, the original one'),
    capabilities,
    boot_id: bootId.describe('One run of the client’s kernel: `mono_ms` compares within it only'),
    session_token: z
      .string()
      .max(256)
      .nullable()
      .optional()
      .describe('As given by the last `identification_success`; null or absent the first time'),
    clock: z
      .object({
        synced: z.boolean().optional().describe('The wall clock is set by NTP or the like'),
        mono_ms: monoMs,
      })
      .optional(),
    schema_versions: mapOf(z.int(), 256, 64)
      .optional()
      .describe('Newest version of each payload that the client sends or understands'),
    cameras: cameras
      .optional()
      .describe(
        'Of an `ai_engine`: all cameras that it has. Without it, and without `cameras_changed`, ' +
          'it has those whose messages it delivers',
      ),
    resume: z
      .object({
        streams: z
          .array(clientStreamSchema)
          .max(128)
          .describe('What has undelivered messages, and the streams of the present epoch'),
      })
      .optional()
      .describe(
        'Of an `ai_engine`. As many streams as fit into the frame; the rest after these are delivered',
      ),
  }),
);
export type ClientIdentify = z.infer<typeof clientIdentifySchema>;

export const identificationSuccessSchema = frame(
  'identification_success',
  'The client is admitted; it may deliver or subscribe from now on.',
  z.object({
    session_token: z.string().max(256).describe('To be kept on disk and shown the next time'),
    store_id: z
      .string()
      .max(128)
      .describe('Names the server’s database: another one than before means that it was replaced'),
    server_time: serverTime,
    resume: z.object({
      streams: z
        .array(streamAckSchema)
        .max(1024)
        .describe('How much of each named stream is there'),
    }),
    flow: flowSchema.describe('What the client may have in flight'),
    reconnect: z
      .object({
        base_ms: z.number().positive().describe('Bound of the first wait'),
        cap_ms: z.number().positive().describe('Bound that the doubling ends at'),
      })
      .describe('How to come back after the connection is lost'),
  }),
);
export type IdentificationSuccess = z.infer<typeof identificationSuccessSchema>;

export const heartbeatSchema = frame(
  'heartbeat',
  'Sent by a client that sent nothing else for `heartbeat_ms`, and to measure the clock.',
  z.object({
    mono_ms: monoMs,
    pending,
    disk: z
      .object({
        used: count.describe('Bytes that the client’s outbox takes on its disk'),
        budget: count.describe('Bytes that it may take'),
      })
      .optional(),
    clock: z
      .object({
        synced: z.boolean().optional().describe('The wall clock is set by NTP or the like'),
        offset_ms: z
          .number()
          .optional()
          .describe('Server’s wall clock less the client’s monotonic one'),
        round_trip_ms: z
          .number()
          .min(0)
          .optional()
          .describe('Of the exchange that gave the offset'),
      })
      .optional()
      .describe('The client’s estimate from earlier heartbeats (RFC 5905, section 8)'),
  }),
);

export const heartbeatAckSchema = frame(
  'heartbeat_ack',
  'Answers a heartbeat.',
  z.object({
    client_timestamp: timestamp.describe('`timestamp` of the heartbeat'),
    server_time: serverTime,
    received_time: timestamp.optional().describe('The server’s clock as the heartbeat came'),
  }),
);

export const serverDrainingSchema = frame(
  'server_draining',
  'The server is about to stop. What it has received is still stored and acknowledged.',
  z.object({
    reconnect_after_ms: count.describe('When this client comes back, counted from the close'),
    deadline_ms: count.describe('By when the server will have closed'),
  }),
);

export const camerasChangedSchema = frame(
  'cameras_changed',
  'An `ai_engine` announces its cameras anew.',
  z.object({ cameras: cameras.describe('All cameras that it has now') }),
);

export const clientGoodbyeSchema = frame(
  'client_goodbye',
  'The client is about to close in good order.',
  z.object({ pending }),
);

export const errorSchema = frame(
  'error',
  'Something was refused. The connection stays up unless a close follows.',
  z.object({
    code: word.describe('One of the list of error codes; more may come'),
    message: prose().describe('For people'),
    retryable: z.boolean().describe('The same frame can succeed later'),
    retry_after_ms: count.optional().describe('Not to be tried again before'),
  }),
);
export type ErrorFrame = z.infer<typeof errorSchema>;
