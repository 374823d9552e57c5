import { z } from 'zod';

/**
 * Pieces that many frames share. What `.describe()` says of a field is what docs/protocol.md says of it.
 * JSON has no NaN, and a number that overflows to infinity (`1e999`) is refused by `z.number()`.
 */

export const timestamp = z.number().describe('Unix milliseconds');
export const monoMs = z
  .number()
  .describe('Milliseconds of the sender’s monotonic clock, which compare within one `boot_id`');
export const seq = z.int().min(1);
export const count = z.int().min(0);
/** One stream of messages: one lane of one epoch. */
export const streamKey = {
  epoch: z.uuid().describe('One run of the sender: a random UUID that it never uses again'),
  lane: z.literal([0, 1, 2, 3]).describe('Lane of the stream'),
};
export const cameraId = z.string().min(1).max(128);
const requestId = z.string().max(128);
/** A code or name that may be newer than the reader. */
export const word = z.string().max(64);

/** Text for people; what is longer is cut, since nobody reads on and nothing hangs on it. */
export function prose(maxLength = 1024) {
  return z.string().overwrite((text) => text.slice(0, maxLength));
}

/** A map with no more entries than that: counted first, since a frame has room for so many that reading them takes long. */
export function mapOf<Value extends z.ZodType>(value: Value, maxEntries: number, maxKey = 128) {
  return z
    .unknown()
    .refine((map) => !hasMoreKeys(map, maxEntries), {
      error: `more than ${maxEntries} entries`,
      abort: true,
    })
    .pipe(z.record(z.string().max(maxKey), value))
    .meta({ type: 'object', maxProperties: maxEntries });
}

function hasMoreKeys(map: unknown, limit: number): boolean {
  return typeof map === 'object' && map !== null && Object.keys(map).length > limit;
}

/** The schema of `{type, timestamp, request_id?, data}`. Unknown fields are ignored. */
export function frame<Type extends string, Data extends z.ZodType>(
  type: Type,
  description: string,
  data: Data,
) {
  return z
    .object({
      type: z.literal(type),
      timestamp,
      request_id: requestId.optional().describe('Of an answer: that of its request'),
      data,
    })
    .describe(description);
}

/** A frame that asks for an answer, which comes under the same `request_id`. */
export function request<Type extends string, Data extends z.ZodType>(
  type: Type,
  description: string,
  data: Data,
) {
  return z
    .object({
      type: z.literal(type),
      timestamp,
      request_id: requestId.describe('The answer carries it too'),
      data,
    })
    .describe(description);
}
