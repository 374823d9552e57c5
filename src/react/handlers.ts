/** A message as it came: the server is trusted for its form, not for its type being a known one. */
export interface RawMessage {
  readonly type: string;
  readonly data?: unknown;
  readonly request_id?: unknown;
  readonly event_id?: unknown;
}

export type RawHandler = (message: never) => void;

/**
 * Handlers by type; `*` hears everything. A handler that two components share is called for each of them.
 */
export class MessageHandlers {
  readonly #handlers = new Map<string, readonly RawHandler[]>();

  add(type: string, handler: RawHandler): void {
    this.#handlers.set(type, [...(this.#handlers.get(type) ?? []), handler]);
  }

  remove(type: string, handler: RawHandler): void {
    const handlers = this.#handlers.get(type) ?? [];
    const at = handlers.indexOf(handler);
    if (at >= 0) this.#handlers.set(type, handlers.toSpliced(at, 1));
  }

  /** What a handler throws does not keep the message from the others. */
  tell(message: RawMessage, report: (error: unknown) => void): void {
    for (const key of [message.type, '*']) {
      for (const handler of this.#handlers.get(key) ?? []) {
        try {
          handler(message as never);
        } catch (error) {
          report(error);
        }
      }
    }
  }
}
