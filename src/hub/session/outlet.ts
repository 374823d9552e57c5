import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Clock } from '../../system/clock.ts';
import { writeCoalesced } from '../fan-out/coalesced-write.ts';
import type { EventFrame } from '../fan-out/live-event.ts';
import { currentDialect } from './current-dialect.ts';
import type { Dialect, RequestId } from './dialect.ts';

/** Frames out, in the wording of the client's protocol as soon as that is known. What a closing socket is given is lost. */
export class Outlet {
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #dialect: Dialect = currentDialect;

  /** @param socket below the WebSocket */
  constructor(ws: WebSocket, socket: Socket, clock: Clock) {
    this.#ws = ws;
    this.#socket = socket;
    this.#clock = clock;
  }

  get dialect(): Dialect {
    return this.#dialect;
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount;
  }

  speak(dialect: Dialect): void {
    this.#dialect = dialect;
  }

  send(text: string): void {
    if (this.#isOpen) this.#ws.send(text);
  }

  /** All its subscribers share the bytes of an event. There are no extensions that each would need its own for. */
  show(event: EventFrame): void {
    if (this.#isOpen) writeCoalesced(this.#socket, event.wire());
  }

  error(code: string, message: string, requestId: RequestId, retryAfterMs?: number): void {
    const nowMs = this.#clock.wallMs();
    this.send(this.#dialect.error({ code, message, retryAfterMs, nowMs }, requestId));
  }

  draining(reconnectAfterMs: number, deadlineMs: number): void {
    const frame = this.#dialect.draining(reconnectAfterMs, deadlineMs, this.#clock.wallMs());
    if (frame !== null) this.send(frame);
  }

  ping(): void {
    if (this.#isOpen) this.#ws.ping();
  }

  get #isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }
}
