/** What the client needs of its surroundings: a browser's, Node's with `ws`, or a test's. */
export interface Environment {
  /** @throws Error on an address that may not be connected to from here */
  openSocket(url: string, events: SocketEvents): SocketLike;
  /** Milliseconds, monotonic. */
  nowMs(): number;
  /** Unix milliseconds; for people. */
  wallMs(): number;
  /** @returns a function that cancels it */
  schedule(callback: () => void, delayMs: number): () => void;
  /** Uniform in [0, 1). */
  random(): number;
  newId(): string;
  /** Takes what a handler threw. */
  report(error: unknown): void;
  parseUrl(text: string): URL;
  /** @returns a function that ends it */
  watch(watcher: SurroundingsWatcher): () => void;
}

export interface SurroundingsWatcher {
  /** The network changed or the page is looked at: whatever waits may be tried at once. */
  onHurry(): void;
  /** The page goes away, perhaps for ever. */
  onHidden(): void;
  onShown(): void;
}

/** The part of WebSocket that is used. */
export interface SocketLike {
  send(text: string): void;
  close(code: number): void;
}

export interface SocketEvents {
  onMessage(data: unknown): void;
  /** Once, also where the connection never came to be. */
  onClose(code: number, reason: string): void;
}
