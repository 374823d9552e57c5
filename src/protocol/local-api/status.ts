import { z } from 'zod';
import { SEVERITIES } from '../payloads.ts';
import { fault, time } from './parts.ts';

/** What the daemon says of itself. The forms of `EdgeStatus`, for who reads it over the network. */

const seconds = z.number();
const count = z.number();
const bytes = z.number();
const counts = z.record(z.string(), count);
const size = z.object({ width: z.number(), height: z.number() });

const refused = z
  .array(z.looseObject({ reason: z.string() }))
  .readonly()
  .describe('Better ones that were tried, and why each was refused');

const provider = z.object({
  provider: z.string().describe('What the model really runs on: `tensorrt`, `cuda` or `cpu`'),
  inferenceMs: z.number().describe('Median of one timed run, milliseconds'),
  refused,
  form: z.string(),
  formReason: z.string().nullable(),
});

const stream = z.object({
  codec: z.string(),
  width: z.number(),
  height: z.number(),
  fps: z.number().nullable().describe('As the stream declares it'),
  pixelFormat: z.string().nullable(),
});

export const camera = z
  .object({
    camera_id: z.string(),
    state: z
      .string()
      .describe('`streaming`, `connecting`, `backing-off`, `stopped`, `failed` and more'),
    since_s: seconds,
    fault: fault.nullable(),
    retry_in_s: seconds.nullable(),
    reconnects: count,
    fps: z.number().describe('Frames analysed a second'),
    frames_received: count,
    frames_analysed: count,
    frames_dropped: count,
    objects: counts.describe('In view, by label'),
    events_started: count,
    events_ended: count,
    faces: z.object({ decided: count, named: count }).nullable(),
    clips: z.object({ made: count, missed: count }).nullable(),
    alerts: count,
    zones: z.record(z.string(), count).readonly().describe('Objects in each zone'),
    lines: z.record(z.string(), z.object({ left: count, right: count }).readonly()).readonly(),
    stream: stream.nullable(),
    decoder: z.object({ decoder: z.string(), refused }).nullable(),
    analysed: size.extend({ fps: z.number().nullable() }).nullable(),
    change: z.string().nullable().describe('How it differs from the configuration, on request'),
  })
  .meta({ id: 'Camera', description: 'A camera and how it does' });

const lane = z.object({
  lane: z.number(),
  depth: count,
  bytes,
  in_memory: count,
  oldest_s: seconds.nullable(),
  last_ack_s: seconds.nullable(),
  acked_seq: z.number(),
  evicted: count,
  evicted_bytes: bytes,
  gaps: count,
});

export const queue = z
  .object({
    lanes: z.array(lane),
    depth: count,
    dead_letters: count,
    disk: z.object({
      used_bytes: bytes,
      budget_bytes: bytes,
      free_bytes: bytes.nullable(),
      ballast: z.enum(['ready', 'spent']),
    }),
    mode: z.enum(['disk', 'memory']).describe('`memory`: a crash loses what waits'),
    fault: fault.nullable(),
    damaged_files: count,
  })
  .meta({ id: 'Queue', description: 'Messages that wait for the hub' });

const uplink = z
  .object({
    state: z.enum(['off', 'disconnected', 'connecting', 'connected', 'authenticated']),
    url: z.string().nullable(),
    since_s: seconds,
    attempts: count,
    connections: count,
    last_ack_s: seconds.nullable(),
    in_flight: count,
    breaker: z.object({
      state: z.enum(['closed', 'open', 'half_open']),
      reason: z.string().nullable(),
      retry_in_s: seconds.nullable(),
    }),
    backoff: z.object({ next_try_s: seconds.nullable(), cap_s: seconds }),
    delivery_level: z.enum(['disk', 'process']).nullable(),
    withheld: count,
    camera_conflicts: z.array(z.string()).readonly(),
    clock: z.object({ offset_ms: z.number(), round_trip_ms: z.number() }).nullable(),
    error: fault.nullable(),
  })
  .meta({ id: 'Uplink', description: 'The connection to the hub' });

const journal = z.object({
  events: count.nullable(),
  alerts: count.nullable(),
  open_alerts: count.nullable(),
  oldest: time.nullable(),
  bytes,
  budget_bytes: bytes,
  waiting: count,
  evicted_events: count,
  evicted_alerts: count,
  lost_events: count,
  lost_alerts: count,
  damaged_files: count,
  fault: fault.nullable(),
});

const condition = z
  .object({
    type: z.string(),
    severity: z.enum(SEVERITIES),
    camera_ids: z.array(z.string()).readonly(),
    since_s: seconds,
    why: z.string().describe('In words'),
  })
  .meta({ id: 'Condition', description: 'What an alert told of, and is not over' });

export const status = z
  .object({
    version: z.string(),
    edge_id: z.string(),
    pid: z.number(),
    started_at: time,
    uptime_s: seconds,
    detector: z.object({
      state: z.string(),
      model: z.string(),
      is_test_detector: z.boolean().describe('Nothing that it reports is real'),
      provider: provider.nullable(),
      restarts: count,
      pid: z.number().nullable(),
      rss_mb: z.number().nullable(),
    }),
    faces: z
      .object({
        detector: z.string(),
        embedding: z.string(),
        provider: z.string().nullable(),
        people: count.nullable(),
        fault: fault.nullable(),
      })
      .nullable(),
    cameras: z.array(camera),
    queue,
    uplink,
    evidence: z.record(z.string(), z.object({ bytes, evicted: count, evicted_undelivered: count })),
    evidence_upstream: z.object({
      bytes_today: bytes,
      daily_bytes: bytes,
      thumbnails_sent: count,
      thumbnails_withheld: count,
      requests_sent: count,
      requests_refused: counts,
    }),
    journal,
    api: z.object({
      enabled: z.boolean(),
      url: z.string().nullable(),
      has_tokens: z.boolean().nullable(),
      fault: fault.nullable(),
    }),
    conditions: z.array(condition),
    config_problems: z.array(z.string()),
  })
  .meta({ id: 'Status', description: 'The daemon and all its parts' });

export const deadLetter = z
  .object({
    lane: z.number(),
    seq: z.number(),
    type: z.string().nullable(),
    code: z.string(),
    reason: z.string(),
    at: time,
    bytes,
    excerpt: z.string(),
  })
  .meta({ id: 'DeadLetter', description: 'A message that is not sent again, with why' });

export type Camera = z.infer<typeof camera>;
export type Status = z.infer<typeof status>;
