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
