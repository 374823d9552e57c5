import { z } from 'zod';
import { THREAT_LEVELS } from '../payloads.ts';
import { time } from './parts.ts';

/** People whom the box recognises. */

const day = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'a day, as 2027-01-31')
  .nullable();

const sample = z.object({
  sample_id: z.string(),
  kind: z
    .enum(['positive', 'negative'])
    .describe('`negative`: somebody else who was taken for them'),
  embedding_model: z.string(),
  quality: z.number().describe('0..1'),
  origin: z.string().describe('File, or event, that the face is from'),
  has_photo: z.boolean(),
  created_at: time,
});

export const person = z
  .object({
    person_id: z.string(),
    name: z.string(),
    role: z.string().describe('What they are here: tenant, staff'),
    threat_level: z.enum(THREAT_LEVELS),
    notes: z.string(),
    consent_date: day,
    expiry_date: day.describe('Last day on which they are recognised; forgotten after it'),
    created_at: time,
    changed_at: time,
    positives: z.number().describe('Faces of them'),
    negatives: z.number().describe('Faces that are not theirs'),
  })
  .meta({ id: 'Person' });
export type Person = z.infer<typeof person>;

export const personDetail = person.extend({ samples: z.array(sample) });
export type PersonDetail = z.infer<typeof personDetail>;

export const personChange = z.strictObject({
  name: z.string().trim().min(1).max(100).optional(),
  role: z.string().max(100).optional(),
  threat_level: z.enum(THREAT_LEVELS).optional(),
  notes: z.string().max(2000).optional(),
  consent_date: day.optional(),
  expiry_date: day.optional(),
});

export const newPerson = personChange.required({ name: true });

export const enrolled = z.object({
  person: personDetail,
  sample_id: z.string().nullable().describe('Null where the same picture was there already'),
  warnings: z
    .array(
      z.object({
        kind: z.enum(['resembles_other', 'unlike_own']),
        cosine: z.number(),
        other: z.object({ person_id: z.string(), name: z.string() }).nullable(),
      }),
    )
    .describe('What is odd about the face'),
});

export const faceOfEvent = z.strictObject({
  event_id: z.string().min(1).max(256),
  kind: z.enum(['positive', 'negative']).default('positive'),
});

export const enrolOptions = z.strictObject({
  kind: z.enum(['positive', 'negative']).default('positive'),
  largest: z.enum(['true', 'false']).default('false').describe('Take the largest of several faces'),
  keep_photo: z.enum(['true', 'false']).default('true'),
  origin: z.string().max(256).default('upload').describe('Where the picture is from'),
});

export const forgetReport = z.object({
  rows: z.number().describe('Stored messages that were changed'),
  faces: z.number(),
  pictures: z.number().describe('Other pictures, and clips'),
});
