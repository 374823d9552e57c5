import { z } from 'zod';
import type { HistoryQuery } from '../store/history-query.ts';
import { type Cursor, readCursor } from './history-cursor.ts';

const MAX_LIMIT = 500;
const DEFAULT_LIMIT = 100;
const MAX_VALUES = 64;

/** A parameter that may be given several times; the values are alternatives. */
const list = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => [value].flat())
  .pipe(z.array(z.string().min(1).max(256)).max(MAX_VALUES))
  .optional();

const eventId = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const time = z
  .string()
  .transform((text) => (/^\d{1,16}$/.test(text) ? Number(text) : Date.parse(text)))
  .pipe(z.int({ error: 'an ISO 8601 time or Unix milliseconds' }))
  .optional();

const cursor = z
  .string()
  .max(128)
  .transform((text, context): Cursor => {
    const read = readCursor(text);
    if (read !== null) return read;
    context.addIssue({ code: 'custom', message: 'not a cursor of this hub' });
    return z.NEVER;
  })
  .optional();

/** Parameters of GET /api/v1/events. */
export const historyParameters = z
  .strictObject({
    camera: list,
    type: list,
    severity: list,
    client: list,
    from: time,
    to: time,
    order: z.enum(['newest', 'oldest']).optional(),
    after_event_id: eventId.optional(),
    cursor,
    limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
  })
  .superRefine((given, context) => {
    const report = (key: string, message: string) =>
      context.addIssue({ code: 'custom', path: [key], message });
    if (given.after_event_id !== undefined && given.order !== undefined)
      report('order', 'goes by event id with after_event_id');
    if (given.after_event_id !== undefined && given.cursor !== undefined)
      report('cursor', 'is not given together with after_event_id');
    if (given.cursor !== undefined && (given.order ?? given.cursor.order) !== given.cursor.order)
      report('cursor', 'is of another order');
  });

/** Path of GET /api/v1/events/:event_id. */
export const eventPath = z.object({ event_id: eventId });

const EVERYTHING: HistoryQuery = {
  cameras: null,
  types: null,
  severities: null,
  clients: null,
  fromMs: null,
  toMs: null,
  order: 'newest',
  after: null,
  eventId: null,
  scopes: null,
  limit: 1,
};

/** What is asked for, before the token's scopes. */
export function queryOf(parameters: z.infer<typeof historyParameters>): HistoryQuery {
  const { camera, type, severity, client, from, to, order, limit } = parameters;
  const query: HistoryQuery = {
    ...EVERYTHING,
    cameras: camera ?? null,
    types: type ?? null,
    severities: severity ?? null,
    clients: client ?? null,
    fromMs: from ?? null,
    toMs: to ?? null,
    limit,
  };
  const { cursor: given, after_event_id: followed } = parameters;
  if (given !== undefined) return { ...query, order: given.order, after: given.place };
  if (followed === undefined) return { ...query, order: order ?? 'newest' };
  return { ...query, order: 'stored', after: { atMs: 0, eventId: followed } };
}

/** Asks for one event. */
export function singleEvent(eventId: number): HistoryQuery {
  return { ...EVERYTHING, eventId };
}
