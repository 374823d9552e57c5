import { z } from 'zod';
import {
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
import { LIMITS } from './limits.ts';

/** Frames that carry stored messages from a client to the server, and what the server answers. */

export const streamAckSchema = z.object({
  ...streamKey,
  acked_through: count.describe(
    'Everything up to this number is on the server’s disk; `first_seq - 1` when nothing is',
  ),
});
export type StreamAck = z.infer<typeof streamAckSchema>;

const credit = {
  credit_messages: count.describe('Messages that may be sent and not yet acknowledged'),
  credit_bytes: count.describe('Bytes of their frames, before deflating'),
};

/** What the client may have in flight. */
export const flowSchema = z.object(credit);
export type FlowCredit = z.infer<typeof flowSchema>;

/** One message of a batch. `type` and `data` are judged by the receiver; a type it does not know is kept as it is. */
export const messageItemSchema = z.object({
  seq: seq.describe('Number within its stream'),
  message_id: z.uuid().describe('Stays with the message, however often it is sent'),
  type: z.string().min(1).max(64).describe('One of the delivered messages below, or a newer one'),
  schema_version: z.int().min(1).describe('Version of `data`'),
  timestamp: timestamp.describe('When it happened by the sender’s wall clock, Unix milliseconds'),
  mono_ms: monoMs,
  replayed: z
    .boolean()
    .optional()
    .describe('It waited for more than 5 s: to be stored, not shown as live'),
  data: z.unknown().describe('The payload'),
});
export type MessageItem = z.infer<typeof messageItemSchema>;

export const gapSchema = z.object({
  from_seq: seq.describe('First number that will never come'),
  to_seq: seq.describe('Last one'),
  count: count.describe('Messages lost'),
  is_lower_bound: z
    .boolean()
    .optional()
    .describe('At least `count` were lost; how many were never written nobody knows'),
  bytes: count.optional().describe('Size of what was lost'),
  reason: word.describe(
    '`disk_budget`, `ttl`, `superseded` (a newer state took its place), `unclean_shutdown`, ' +
      '`storage_corruption`, `storage_failure`, `poison` (the server could not take it), `hub_regression` ' +
      '(the server lost what it had acknowledged); more may come',
  ),
  first_wall_ms: timestamp.optional().describe('When the first lost message happened'),
  last_wall_ms: timestamp.optional().describe('When the last one did'),
  // Generous: a gap that is refused is a hole in the stream.
  by_camera: mapOf(count, 4096).optional().describe('Messages lost, by camera'),
});
export type Gap = z.infer<typeof gapSchema>;

export const gapItemSchema = z.object({
  seq: seq.describe('`from_seq` of the gap'),
  gap: gapSchema.describe('Declares a loss, so that the stream can go on behind it'),
});
export type GapItem = z.infer<typeof gapItemSchema>;

export type BatchItem = MessageItem | GapItem;

/**
 * Judged item by item, so that one which is broken does not take the others of its batch along. Messages first:
 * nearly all items are, and a schema that does not fit costs the most.
 */
export const batchItemSchema = z.union([messageItemSchema, gapItemSchema]);

export function isGapItem(item: BatchItem): item is GapItem {
  return 'gap' in item;
}

export const messageBatchSchema = frame(
  'message_batch',
  'Messages of one stream, numbers ascending and without holes from `first_seq` on.',
  z.object({
    ...streamKey,
    first_seq: seq.describe('Number of the first item'),
    items: z
      .array(z.unknown())
      .min(1)
      .max(LIMITS.windowMessages)
      .describe('Messages and gaps; at most 64, and 64 KiB of payloads, by the sender’s own rule'),
  }),
);
export type MessageBatch = z.infer<typeof messageBatchSchema>;

export const batchAckSchema = frame(
  'batch_ack',
  'Sent after the commit: the server has it on disk, and the client may forget it.',
  z.object({
    acks: z.array(streamAckSchema).max(1024),
    rejected: z
      .array(
        z.object({
          seq: seq.describe('Number of the message'),
          code: word.describe(
            '`schema_invalid`, `item_invalid`, `reserved_type`, `forbidden`; more may come',
          ),
          message: prose().describe('For people'),
          quarantined: z.boolean().describe('The server keeps it; it is not to be sent again'),
        }),
      )
      .max(LIMITS.windowMessages)
      .default([])
      .describe('Messages of the batch that `request_id` names which are invalid or not allowed'),
    flow: flowSchema.optional().describe('New credit'),
  }),
);
export type BatchAck = z.infer<typeof batchAckSchema>;

export const flowUpdateSchema = frame(
  'flow_update',
  'New credit. What the client cannot send waits in its outbox; nothing is dropped.',
  z.object({
    ...credit,
    reason: word.optional().describe('`hub_busy`, `rate_limit`; more may come'),
    resume_after_ms: count
      .optional()
      .describe('The client may send again after this without hearing more'),
  }),
);

export const resyncRequiredSchema = frame(
  'resync_required',
  'The server needs the stream from `expected_seq` on again.',
  z.object({
    ...streamKey,
    expected_seq: seq.describe('The first number that the server lacks'),
    reason: word.describe('`sequence_gap`: numbers were skipped without a gap; more may come'),
  }),
);
export type ResyncRequired = z.infer<typeof resyncRequiredSchema>;
