import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import type { HubCounters } from '../counters.ts';

/** Requests on one connection that are not answered yet. Browsers and proxies send one after the other. */
const MAX_OPEN = 8;
/** For the body of a request to come in; who sends one byte now and then is cut off. */
const BODY_TIMEOUT_MS = 20_000;
/** From the request to the last byte of its answer given away. A page of 1 MiB at 17 KiB/s takes as long. */
const ANSWER_TIMEOUT_MS = 60_000;

interface Exchange {
  timer: TimerHandle;
  readonly request: IncomingMessage;
  readonly whenOver: (() => void)[];
}

/**
 * Keeps answers that nobody reads from staying in memory: a connection has few requests at a time, and each answer is
 * read within a time. The server's own timeouts end with the request.
 */
export class AnswerWatch {
  readonly #clock: Clock;
  readonly #counters: HubCounters;
  readonly #open = new WeakMap<Socket, Set<ServerResponse>>();
  readonly #exchanges = new WeakMap<ServerResponse, Exchange>();
  readonly #bodies = new WeakMap<IncomingMessage, TimerHandle>();

  constructor({ clock, counters }: { readonly clock: Clock; readonly counters: HubCounters }) {
    this.#clock = clock;
    this.#counters = counters;
  }

  /** Whether the request is to be answered; where it is not, its connection is gone. */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    const { socket } = request;
    const open = this.#openOn(socket);
    if (open.size >= MAX_OPEN || socket.destroyed) {
      this.#cut(socket);
      return false;
    }
    this.#exchanges.set(response, { timer: this.#timer(socket), request, whenOver: [] });
    this.#awaitBody(request);
    open.add(response);
    response.once('close', () => {
      open.delete(response);
      this.#end(response);
    });
    return true;
  }

  /** Calls back once the answer was given away, or nobody is there to take it. */
  whenOver(response: ServerResponse, callback: () => void): void {
    const exchange = this.#exchanges.get(response);
    if (exchange === undefined) callback();
    else exchange.whenOver.push(callback);
  }

  /** A long answer, or a long request, makes progress: its time begins anew. */
  progressed(response: ServerResponse): void {
    const exchange = this.#exchanges.get(response);
    if (exchange === undefined) return;
    exchange.timer.cancel();
    exchange.timer = this.#timer(exchange.request.socket);
    this.#awaitBody(exchange.request);
  }

  #timer(socket: Socket): TimerHandle {
    return this.#clock.setTimeout(() => this.#cut(socket), ANSWER_TIMEOUT_MS);
  }

  /** Also where it was answered before it was there. */
  #awaitBody(request: IncomingMessage): void {
    this.#bodies.get(request)?.cancel();
    if (request.complete) return;
    const timer = this.#clock.setTimeout(() => {
      if (!request.complete) this.#cut(request.socket);
    }, BODY_TIMEOUT_MS);
    if (!this.#bodies.has(request))
      request.once('close', () => this.#bodies.get(request)?.cancel());
    this.#bodies.set(request, timer);
  }

  #openOn(socket: Socket): Set<ServerResponse> {
    const known = this.#open.get(socket);
    if (known !== undefined) return known;
    const open = new Set<ServerResponse>();
    this.#open.set(socket, open);
    // An answer that had to wait for another is not closed together with its connection.
    socket.once('close', () => {
      for (const response of open) this.#end(response);
    });
    return open;
  }

  #end(response: ServerResponse): void {
    const exchange = this.#exchanges.get(response);
    if (exchange === undefined) return;
    this.#exchanges.delete(response);
    exchange.timer.cancel();
    for (const callback of exchange.whenOver) callback();
  }

  #cut(socket: Socket): void {
    if (socket.destroyed) return;
    this.#counters.answersCut++;
    socket.destroy();
  }
}
