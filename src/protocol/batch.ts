import { z } from 'zod';
import { count, frame, monoMs, seq, streamKey, timestamp } from './frame-parts.ts';
import { LIMITS } from './limits.ts';

/** Frames that carry stored messages from a client to the server, and what the server answers. */

/** Everything of the stream up to `acked_through` is on the server's disk; `first_seq - 1` when nothing is. */
export const streamAckSchema = z.object({ ...streamKey, acked_through: count });
export type StreamAck = z.infer<typeof streamAckSchema>;

/** What the client may have in flight. */
export const flowSchema = z.object({ credit_messages: count, credit_bytes: count });
export type FlowCredit = z.infer<typeof flowSchema>;

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
  /** Messages lost, or at least so many where `is_lower_bound`: how many were never written nobody knows. */
  count,
  is_lower_bound: z.boolean().optional(),
  bytes: count.optional(),
  /**
   * `disk_budget`, `ttl`, `superseded` (a newer state took its place), `unclean_shutdown`,
   * `storage_corruption`, `storage_failure`, `poison`, `hub_regression`; more may come.
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

/** Judged item by item, so that one which is broken does not take the others of its batch along. */
export const batchItemSchema = z.union([gapItemSchema, messageItemSchema]);

export function isGapItem(item: BatchItem): item is GapItem {
  return 'gap' in item;
}

/** Items of one lane of one epoch, numbers ascending and without holes from `first_seq` on. */
export const messageBatchSchema = frame(
  'message_batch',
  z.object({
    ...streamKey,
    first_seq: seq,
    /** Each to be read with `batchItemSchema`. */
    items: z.array(z.unknown()).min(1).max(LIMITS.windowMessages),
  }),
);
export type MessageBatch = z.infer<typeof messageBatchSchema>;

export const batchAckSchema = frame(
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

export const flowUpdateSchema = frame(
  'flow_update',
  z.object({
    credit_messages: count,
    credit_bytes: count,
    reason: z.string().optional(),
    resume_after_ms: count.optional(),
  }),
);

/** The server needs the stream from `expected_seq` on again. */
export const resyncRequiredSchema = frame(
  'resync_required',
  z.object({ ...streamKey, expected_seq: seq, reason: z.string() }),
);
export type ResyncRequired = z.infer<typeof resyncRequiredSchema>;
