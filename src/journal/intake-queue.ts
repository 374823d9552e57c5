/** `alert` before `event`: the kinds of what waits. */
export type IntakeKind = 'alert' | 'event';

/** Id and JSON text of a message. */
export type WaitingMessage = readonly [id: string, body: string];

/** Most that a transaction takes, in characters of JSON. */
const BATCH_LENGTH = 512 * 1024;
const BATCH_ROWS = 500;
/** Of what waits, in characters of JSON. */
const MOST_LENGTH = 8 * 1024 * 1024;

/**
 * What the journal was told and has not written. Of an event only its newest message waits. Where it is too much the
 * oldest event is given up, and alerts when no event is left. Pure.
 */
export class IntakeQueue {
  readonly #waiting: Readonly<Record<IntakeKind, Map<string, string>>> = {
    alert: new Map(),
    event: new Map(),
  };
  readonly #mostLength: number;
  #length = 0;
  #lost = { alert: 0, event: 0 };

  constructor(mostLength = MOST_LENGTH) {
    this.#mostLength = mostLength;
  }

  get size(): number {
    return this.#waiting.alert.size + this.#waiting.event.size;
  }

  /** How many of a kind wait, or were given up since `declared`. */
  count(kind: IntakeKind): { readonly waiting: number; readonly lost: number } {
    return { waiting: this.#waiting[kind].size, lost: this.#lost[kind] };
  }

  add(kind: IntakeKind, id: string, body: string): void {
    const waiting = this.#waiting[kind];
    this.#length += body.length - (waiting.get(id)?.length ?? 0);
    waiting.set(id, body);
    while (this.#length > this.#mostLength && this.size > 1) this.#giveUp();
  }

  /** The oldest of a kind, as many as one transaction takes. They wait on until they are `written`. */
  batch(kind: IntakeKind): WaitingMessage[] {
    const batch: WaitingMessage[] = [];
    let length = 0;
    for (const message of this.#waiting[kind]) {
      length += message[1].length;
      if (batch.length > 0 && (length > BATCH_LENGTH || batch.length >= BATCH_ROWS)) break;
      batch.push(message);
    }
    return batch;
  }

  /** What became newer meanwhile waits on. */
  written(kind: IntakeKind, batch: readonly WaitingMessage[]): void {
    for (const [id, body] of batch)
      if (this.#waiting[kind].get(id) === body) this.#remove(kind, id);
  }

  /** What was given up is written down. */
  declared(lost: { readonly alerts: number; readonly events: number }): void {
    this.#lost.alert -= lost.alerts;
    this.#lost.event -= lost.events;
  }

  /** Changes what waits. */
  rewrite(change: (kind: IntakeKind, id: string, body: string) => string): void {
    for (const kind of ['alert', 'event'] as const)
      for (const [id, body] of this.#waiting[kind]) {
        const changed = change(kind, id, body);
        this.#length += changed.length - body.length;
        this.#waiting[kind].set(id, changed);
      }
  }

  #giveUp(): void {
    const kind = this.#waiting.event.size > 0 ? 'event' : 'alert';
    const [oldest] = this.#waiting[kind].keys();
    if (oldest === undefined) return;
    this.#remove(kind, oldest);
    this.#lost[kind]++;
  }

  #remove(kind: IntakeKind, id: string): void {
    this.#length -= this.#waiting[kind].get(id)?.length ?? 0;
    this.#waiting[kind].delete(id);
  }
}
