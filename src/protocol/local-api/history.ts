import { z } from 'zod';
import { objectEventSchema, SEVERITIES } from '../payloads.ts';
import { flag, instant, listed, time } from './parts.ts';

/** Events and alerts as the box keeps them. */

const severity = z.enum(SEVERITIES);
const severities = listed('Any of `low`, `medium`, `high`, `critical`').pipe(z.array(severity));

const page = {
  after: instant.optional().describe('From then on, Unix milliseconds or ISO 8601'),
  before: instant.optional().describe('Until then, not included'),
  sort: z.enum(['date_desc', 'date_asc']).default('date_desc').describe('Newest first, or oldest'),
  cursor: z
    .string()
    .regex(/^-?\d{1,16}\.\d{1,16}$/, 'the `next_cursor` of a page')
    .optional()
    .describe('`next_cursor` of the page before'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
};

export const eventFilter = z.strictObject({
  cameras: listed('Of any of these cameras').optional(),
  labels: listed('The model’s words').optional(),
  types: listed('`person`, `vehicle`, `package`, `animal` or a label').optional(),
  zones: listed('Of objects that were in any of these').optional(),
  person_id: z.string().min(1).max(256).optional(),
  severities: severities.optional().describe('Of the highest alert'),
  reviewed: flag.optional(),
  false_positive: flag.optional(),
  has_alert: flag.optional(),
  ...page,
});

export const alertFilter = z.strictObject({
  cameras: listed('About any of these cameras').optional(),
  types: listed('`unknown_person`, `loitering_detected` and so on').optional(),
  severities: severities.optional(),
  event_id: z.string().min(1).max(256).optional(),
  acknowledged: flag.optional(),
  ...page,
});

export const summaryFilter = z.strictObject({
  after: instant.describe('From then on'),
  before: instant.describe('Until then; 400 days later at most, or 42 by the hour'),
  per: z.enum(['hour', 'day']).default('day'),
  offset_min: z.coerce
    .number()
    .int()
    .min(-840)
    .max(840)
    .multipleOf(15)
    .default(0)
    .describe('Where days begin: minutes east of Greenwich'),
  cameras: listed('Of any of these cameras').optional(),
});

export const event = z
  .object({
    event_id: z.string(),
    camera_id: z.string(),
    label: z.string(),
    type: z.string(),
    start_ms: time,
    end_ms: time.nullable().describe('Null while it goes on'),
    score: z.number(),
    person_id: z.string().nullable().describe('Who it was; null for nobody who is known'),
    zones: z.array(z.string()).readonly(),
    alert_severity: severity.nullable().describe('Of its highest alert; null where it has none'),
    reviewed_at: time.nullable(),
    reviewed_by: z.string().nullable(),
    false_positive_at: time.nullable(),
    false_positive_by: z.string().nullable(),
    event: objectEventSchema,
  })
  .meta({ id: 'Event', description: 'One object’s stay in a camera’s view' });

export const alert = z
  .object({
    alert_id: z.string(),
    camera_id: z.string().nullable().describe('Null for one of several cameras, or of the box'),
    camera_ids: z.array(z.string()).readonly(),
    event_id: z.string().nullable(),
    type: z.string(),
    severity,
    at_ms: time,
    acknowledged_at: time.nullable(),
    acknowledged_by: z.string().nullable(),
    notes: z.array(z.object({ at: time, by: z.string(), text: z.string() }).readonly()).readonly(),
    alert: z.looseObject({
      has_clip: z.boolean().optional(),
      data: z
        .record(z.string(), z.unknown())
        .describe('Why it fired: `why` in words, the rest as data'),
    }),
  })
  .meta({ id: 'Alert', description: 'Something that people have to know at once' });

const next = {
  next_cursor: z.string().nullable().describe('For the next page; null at the end'),
  has_more: z.boolean(),
};

export const eventPage = z.object({ events: z.array(event).readonly(), ...next });
export const alertPage = z.object({ alerts: z.array(alert).readonly(), ...next });

export const summary = z.object({
  entries: z
    .array(
      z.object({
        begin_ms: time,
        camera_id: z.string().nullable().describe('Null for alerts of the box itself'),
        events: z.number(),
        alerts: z.number(),
      }),
    )
    .readonly(),
});

export type EventFilter = z.input<typeof eventFilter>;
export type Event = z.infer<typeof event>;
export type Alert = z.infer<typeof alert>;
