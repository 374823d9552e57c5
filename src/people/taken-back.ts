/** Stands in every `alert_thumbnail` as `JSON.stringify` writes it, and hardly in anything else. */
export const THUMBNAIL_MARK = '"jpeg":';

/**
 * The JSON text of an `alert_thumbnail` without its picture, where it shows one of the events; the very same text of
 * another one, of what is no thumbnail, and of what cannot be read.
 */
export function withoutPicture(json: string, eventIds: ReadonlySet<string>): string {
  let body: unknown;
  try {
    body = JSON.parse(json);
  } catch {
    return json;
  }
  if (typeof body !== 'object' || body === null) return json;
  const { event_id: eventId, jpeg } = body as { event_id?: unknown; jpeg?: unknown };
  if (typeof eventId !== 'string' || !eventIds.has(eventId) || jpeg === '') return json;
  return JSON.stringify({ ...body, jpeg: '' });
}
