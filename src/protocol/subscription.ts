import { z } from 'zod';
import { count, frame, timestamp } from './frame-parts.ts';

/** Frames by which a client asks for events, and the events themselves. */

const filter = z.array(z.string().max(128)).max(256);

/** Replaces the connection's subscription. `*` stands for every type or camera. */
export const subscribeSchema = frame(
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
export const subscriptionSuccessSchema = frame(
  'subscription_success',
  z.object({
    types: filter,
    cameras: filter,
    /** Newest stored event at this moment; 0 when there is none. */
    last_event_id: count,
  }),
);

export const unsubscribeSchema = frame('unsubscribe', z.object({}));

/** A delivered message as subscribers get it: its own type and data, with where it came from. */
export const broadcastEventSchema = z.object({
  type: z.string(),
  /** When it happened at the edge. */
  timestamp,
  event_id: z.int().min(1),
  client_id: z.string(),
  /** When it happened, by the server's clock; absent where that cannot be told. */
  corrected_timestamp: timestamp.optional(),
  /** The edge's clock was more than 5 s off, or not known to be set. */
  clock_suspect: z.boolean().optional(),
  replayed: z.boolean().optional(),
  schema_version: z.int().optional(),
  data: z.unknown(),
});
export type BroadcastEvent = z.infer<typeof broadcastEventSchema>;
