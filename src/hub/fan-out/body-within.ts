import { camerasOf } from '../../protocol/message-cameras.ts';
import { isInScope, type Scopes } from '../../protocol/scopes.ts';

/** What an engine's status says of the engine itself. */
const OF_THE_ENGINE: ReadonlySet<string> = new Set(['timestamp', 'status', 'provider', 'model']);

/** What an alert of several cameras says of itself, and not of any of them. */
const OF_THE_ALERT: readonly string[] = ['type', 'severity', 'timestamp'];

/**
 * The body of a message as far as a token may see it. The status of an edge is of no camera and names all that the edge
 * has: a token for some cameras gets the engine and those. Anything else in it, such as a status of the original
 * protocol may hold, could name a camera too and is left out. So it is with an alert of several cameras: of its data
 * a token for some of them gets the entries of `cameras` that are of these, and why by their own words.
 * @param body JSON text; it is returned as it is where nothing is to be left out
 */
export function bodyWithin({ cameras }: Scopes, type: string, body: string): string {
  if (cameras.includes('*')) return body;
  if (type === 'alert_triggered') return alertWithin(cameras, body);
  return type === 'ai_engine_status' ? statusWithin(cameras, body) : body;
}

function statusWithin(cameras: readonly string[], body: string): string {
  const status: unknown = JSON.parse(body);
  if (!isRecord(status)) return '{}';
  const ofTheEngine = Object.entries(status).filter(
    ([name, value]) => OF_THE_ENGINE.has(name) && !(value instanceof Object),
  );
  const own = entriesWithin(cameras, status.cameras);
  return JSON.stringify({ ...Object.fromEntries(ofTheEngine), cameras: own });
}

function alertWithin(cameras: readonly string[], body: string): string {
  // Most alerts are of one camera, and are not parsed for it.
  if (!body.includes('"camera_ids"')) return body;
  const alert: unknown = JSON.parse(body);
  if (!isRecord(alert) || alert.camera_ids === undefined) return body;
  const ids = camerasOf('alert_triggered', alert);
  const ownIds = ids.filter((id) => isInScope(cameras, id));
  if (ids.length > 0 && ownIds.length === ids.length) return body;
  const head = OF_THE_ALERT.filter((name) => typeof alert[name] !== 'object');
  const own = entriesWithin(cameras, isRecord(alert.data) ? alert.data.cameras : null);
  const why = own.flatMap((entry) => (typeof entry.why === 'string' ? [entry.why] : []));
  return JSON.stringify({
    ...Object.fromEntries(head.map((name) => [name, alert[name]])),
    camera_ids: ownIds,
    data: { why: why.join('; '), cameras: own },
  });
}

/** Of a list of objects with a `camera_id`, those of the cameras of a scope. */
function entriesWithin(
  cameras: readonly string[],
  listed: unknown,
): Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(listed)) return [];
  return listed.filter(
    (entry) =>
      isRecord(entry) && typeof entry.camera_id === 'string' && isInScope(cameras, entry.camera_id),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
