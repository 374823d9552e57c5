import { fileAddress } from '../api/client.ts';
import { PartReader, type PicturePart } from './multipart.ts';

type Listener = (part: PicturePart) => void;

/** A wait before the next try, ms. */
const RETRY_MS = 1000;
/** Changes of what is looked at come together: a page that is built asks for one camera after the other. */
const SETTLE_MS = 50;

/**
 * Live pictures of every camera that a page shows, over one connection: a browser opens few to a host. What nobody
 * looks at is not asked for.
 */
export class PictureFeed {
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #maxWidth: number;
  #asked = '';
  #abort: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** @param maxWidth pixels */
  constructor(maxWidth: number) {
    this.#maxWidth = maxWidth;
  }

  /** @returns what ends it */
  watch(cameraId: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(cameraId) ?? new Set<Listener>();
    this.#listeners.set(cameraId, listeners.add(listener));
    this.#askLater(SETTLE_MS);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(cameraId);
      this.#askLater(SETTLE_MS);
    };
  }

  #askLater(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), ms);
  }

  async #ask(): Promise<void> {
    const cameras = [...this.#listeners.keys()].sort().join(',');
    if (cameras === this.#asked) return;
    this.#asked = cameras;
    this.#abort?.abort();
    this.#abort = null;
    if (cameras === '') return;
    const abort = new AbortController();
    this.#abort = abort;
    try {
      await this.#read(cameras, abort.signal);
    } catch {
      // Said by the pictures that grow old, and by the state of the connection.
    }
    if (abort.signal.aborted) return;
    this.#asked = '';
    this.#askLater(RETRY_MS);
  }

  async #read(cameras: string, signal: AbortSignal): Promise<void> {
    const address = fileAddress('/api/live.mjpeg', {}, { cameras, max_width: this.#maxWidth });
    const response = await fetch(address, { credentials: 'same-origin', signal });
    if (!response.ok || response.body === null) return;
    const reader = response.body.getReader();
    const parts = new PartReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const part of parts.push(value))
        for (const listener of this.#listeners.get(part.cameraId) ?? []) listener(part);
    }
  }
}
