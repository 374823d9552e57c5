import { z } from 'zod';
import { SEVERITIES } from '../protocol/payloads.ts';
import { ApexError } from '../system/errors.ts';

/** What is asked of the journal. Lists are alternatives; what is left out is everything. Times are Unix milliseconds. */

const name = z.string().min(1).max(256);
const names = z.array(name).min(1).max(64);
const time = z.number().int().min(-8.64e15).max(8.64e15);
const severities = z.array(z.enum(SEVERITIES)).min(1);

const page = {
  /** When it began, or was raised; `to_ms` is not included any more. */
  from_ms: time.optional(),
  to_ms: time.optional(),
  order: z.enum(['newest', 'oldest']).default('newest'),
  /** `next` of the page before. */
  after: z
    .string()
    .regex(/^-?\d{1,16}\.\d{1,16}$/, 'the `next` of a page')
    .optional(),
  limit: z.number().int().min(1).max(500).default(100),
};

const eventQuerySchema = z.strictObject({
  cameras: names.optional(),
  labels: names.optional(),
  types: names.optional(),
  /** Events of objects that were in any of these. */
  zones: names.optional(),
  person_id: name.optional(),
  is_reviewed: z.boolean().optional(),
  is_false_positive: z.boolean().optional(),
  has_alert: z.boolean().optional(),
  /** Of their highest alert. */
  severities: severities.optional(),
  ...page,
});
export type EventQuery = z.infer<typeof eventQuerySchema>;

const alertQuerySchema = z.strictObject({
  cameras: names.optional(),
  types: names.optional(),
  severities: severities.optional(),
  event_id: name.optional(),
  is_acknowledged: z.boolean().optional(),
  ...page,
});
export type AlertQuery = z.infer<typeof alertQuerySchema>;

/** Entries of a summary are for so long at most: 400 days, or 42 days by the hour. */
const MAX_MS = { day: 400 * 86_400_000, hour: 42 * 86_400_000 } as const;

const summaryQuerySchema = z
  .strictObject({
    from_ms: time,
    to_ms: time,
    per: z.enum(['hour', 'day']).default('day'),
    /** East of Greenwich, minutes: where the days begin. */
    offset_min: z.number().int().min(-840).max(840).multipleOf(15).default(0),
    cameras: names.optional(),
  })
  .refine(({ from_ms, to_ms, per }) => to_ms > from_ms && to_ms - from_ms <= MAX_MS[per], {
    error: 'a time of at most 400 days, or of 42 days by the hour',
    path: ['to_ms'],
  });
export type SummaryQuery = z.infer<typeof summaryQuerySchema>;

/** @throws ApexError JOURNAL_INPUT */
export const readEventQuery = (input: unknown): EventQuery => read(eventQuerySchema, input);
/** @throws ApexError JOURNAL_INPUT */
export const readAlertQuery = (input: unknown): AlertQuery => read(alertQuerySchema, input);
/** @throws ApexError JOURNAL_INPUT */
export const readSummaryQuery = (input: unknown): SummaryQuery => read(summaryQuerySchema, input);

function read<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.join('.') ?? '';
  throw new ApexError('JOURNAL_INPUT', `${place === '' ? 'query' : place}: ${issue?.message}`);
}
