import type { Outgoing } from './session-frames.ts';

/** Messages kept while there is no connection; more are refused. */
const MAX_KEPT = 256;

/** What was sent without a connection and waits for one. */
export class Outbox {
  readonly #kept: Outgoing[] = [];

  /** @returns false if the message is not kept */
  keep(message: Outgoing): boolean {
    // Whoever asks for a stream wants it now; an answer that comes minutes later helps nobody.
    if (message.type.startsWith('stream_') || this.#kept.length >= MAX_KEPT) return false;
    this.#kept.push(message);
    return true;
  }

  empty(send: (message: Outgoing) => void): void {
    for (const message of this.#kept.splice(0)) send(message);
  }
}
