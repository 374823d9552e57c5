import { isInScope, type Scopes } from '../../protocol/scopes.ts';

/** What an engine's status says of the engine itself. */
const OF_THE_ENGINE: ReadonlySet<string> = new Set(['timestamp', 'status', 'provider', 'model']);

/**
 * The body of a message as far as a token may see it. The status of an edge is of no camera and names all that the edge
 * has: a token for some cameras gets the engine and those. Anything else in it, such as a status of the original
 * protocol may hold, could name a camera too and is left out.
 * @param body JSON text; it is returned as it is where nothing is to be left out
 */
export function bodyWithin({ cameras }: Scopes, type: string, body: string): string {
  if (type !== 'ai_engine_status' || cameras.includes('*')) return body;
  const status: unknown = JSON.parse(body);
  if (!isRecord(status)) return '{}';
  const ofTheEngine = Object.entries(status).filter(
    ([name, value]) => OF_THE_ENGINE.has(name) && !(value instanceof Object),
  );
  const listed: unknown = status.cameras;
  const own = Array.isArray(listed)
    ? listed.filter(
        (camera) =>
          isRecord(camera) &&
          typeof camera.camera_id === 'string' &&
          isInScope(cameras, camera.camera_id),
      )
    : [];
  return JSON.stringify({ ...Object.fromEntries(ofTheEngine), cameras: own });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
