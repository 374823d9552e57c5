import { z } from 'zod';
import { count, frame, timestamp, word } from './frame-parts.ts';
import { SEVERITIES } from './payloads.ts';

/** Frames by which a client asks for events, and the events themselves. */

const severities = z.array(z.enum(SEVERITIES)).max(SEVERITIES.length);
const filter = z.array(z.string().max(128)).max(256);

/** Replaces the connection's subscription. */
export const subscribeSchema = frame(
  'subscribe',
  'Asks for events; replaces the connection’s subscription.',
  z.object({
    types: filter.min(1).describe('Message types; `*` for all'),
    cameras: filter.min(1).default(['*']).describe('Camera ids; `*` for all'),
    severities: severities
      .min(1)
      .optional()
      .describe('Of messages that have a severity, these only; all without'),
    after_event_id: count.optional().describe('First send what was stored after this event'),
  }),
);
export type Subscribe = z.infer<typeof subscribeSchema>;

export const subscriptionSuccessSchema = frame(
  'subscription_success',
  'The subscription now in force: what was asked for, as far as the token’s scopes allow it.',
  z.object({
    types: filter.describe('Empty after `unsubscribe`'),
    cameras: filter.describe('Camera ids; `*` for all'),
    severities: severities.optional().describe('Absent for all'),
    last_event_id: count.describe('Newest stored event at this moment; 0 when there is none'),
    oldest_event_id: count
      .optional()
      .describe('Nothing from this event on was deleted: who resumes from further back has a hole'),
  }),
);

export const unsubscribeSchema = frame('unsubscribe', 'No more events.', z.object({}));

export const broadcastEventSchema = z
  .object({
    type: word.describe('Type of the message'),
    timestamp: timestamp.describe('When it happened by the edge’s wall clock, Unix milliseconds'),
    event_id: z.int().min(1).describe('Ascending; the cursor for `after_event_id`'),
    client_id: z.string().max(128).describe('The edge that it comes from'),
    corrected_timestamp: timestamp
      .optional()
      .describe('When it happened by the server’s clock; absent where that cannot be told'),
    clock_suspect: z
      .boolean()
      .optional()
      .describe('The edge’s clock was more than 5 s off, or not known to be set'),
    replayed: z.boolean().optional().describe('It reached the server late'),
    schema_version: z.int().optional().describe('Version of `data`'),
    data: z.unknown().describe('The payload as the edge sent it'),
  })
  .describe('A message that a subscriber asked for, under the type of the message.');
export type BroadcastEvent = z.infer<typeof broadcastEventSchema>;
