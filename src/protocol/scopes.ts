/** What a token lets its client do, within what clients of its type may do at all. */
export interface Scopes {
  /** Camera ids; `*` for all. */
  readonly cameras: readonly string[];
  /** Types of frames and messages that the client may send, beside those that keep a connection; `*` for all. */
  readonly send: readonly string[];
  /** Types of messages that the client may be shown; `*` for all. */
  readonly receive: readonly string[];
  /** May read statistics and change what concerns others. */
  readonly admin: boolean;
}

/** Everything that clients of a type may do at all, but what is for administrators. */
export const USUAL_SCOPES: Scopes = { cameras: ['*'], send: ['*'], receive: ['*'], admin: false };

/** Whether a list of a scope holds a name. */
export function isInScope(list: readonly string[], name: string): boolean {
  return list.includes('*') || list.includes(name);
}

/** Types of messages that are of no camera. */
const OF_NO_CAMERA: ReadonlySet<string> = new Set(['ai_engine_status', 'person_forgotten']);

/**
 * Whether a message that names no camera is within a scope. One that should name its camera and does not is within `*`
 * only: it may be of any.
 */
export function isNamelessInScope(scope: readonly string[], type: string): boolean {
  return OF_NO_CAMERA.has(type) || scope.includes('*');
}

/**
 * Whether a client may be shown a message, or what of it is about its own cameras.
 * @param cameras that the message is about
 */
export function mayReceive(scopes: Scopes, type: string, cameras: readonly string[]): boolean {
  if (!isInScope(scopes.receive, type)) return false;
  if (cameras.length === 0) return isNamelessInScope(scopes.cameras, type);
  return cameras.some((id) => isInScope(scopes.cameras, id));
}
