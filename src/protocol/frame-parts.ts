import { z } from 'zod';

/** Pieces that many frames share. Times are Unix milliseconds, `mono_ms` the sender's monotonic clock. */

export const timestamp = z.number();
export const monoMs = z.number();
export const seq = z.int().min(1);
export const count = z.int().min(0);
/** One stream of messages: one lane of one epoch. */
export const streamKey = { epoch: z.uuid(), lane: z.literal([0, 1, 2, 3]) };
const requestId = z.string().max(128);

/** The schema of `{type, timestamp, request_id?, data}`. Unknown fields are ignored. */
export function frame<Type extends string, Data extends z.ZodType>(type: Type, data: Data) {
  return z.object({
    type: z.literal(type),
    timestamp,
    request_id: requestId.optional(),
    data,
  });
}

/** A frame that asks for an answer, which comes under the same `request_id`. */
export function request<Type extends string, Data extends z.ZodType>(type: Type, data: Data) {
  return z.object({ type: z.literal(type), timestamp, request_id: requestId, data });
}
