import { LIMITS } from '../protocol/limits.ts';
import type { ConnectionFault } from './connection-state.ts';
import type { Environment } from './environment.ts';
import type { RawMessage } from './handlers.ts';
import { dataOf, faultOf, type Outgoing, textOf } from './session-frames.ts';

/** The server and the edge have their time; a moment more, so that the server's own answer is the one shown. */
const ANSWER_MS = LIMITS.requestTimeoutMs + 2_000;

export const NOT_CONNECTED: ConnectionFault = {
  code: 'not_connected',
  message: 'there is no connection to the server',
  retryable: true,
};

/** Why a request failed. `code` is one of the protocol's, of the edge's, or of this client's. */
export class RequestError extends Error implements ConnectionFault {
  override readonly name = 'RequestError';
  readonly code: string;
  readonly retryable: boolean;

  constructor({ code, message, retryable }: ConnectionFault) {
    super(message);
    this.code = code;
    this.retryable = retryable;
  }
}

interface Pending {
  resolve(data: unknown): void;
  reject(error: RequestError): void;
  readonly cancelTimeout: () => void;
}

/** Requests that wait for the answer under their `request_id`. */
export class Requests {
  readonly #environment: Environment;
  /** @returns false if the message is too large */
  readonly #send: (message: Outgoing) => boolean;
  readonly #pending = new Map<string, Pending>();

  constructor(environment: Environment, send: (message: Outgoing) => boolean) {
    this.#environment = environment;
    this.#send = send;
  }

  /** Asks over the connection that there is. Resolves with the answer's `data`. @throws RequestError */
  ask<Answer>(type: string, data: unknown): Promise<Answer> {
    const requestId = this.#environment.newId();
    const answer = this.#wait<Answer>(requestId);
    if (!this.#send({ type, data, request_id: requestId })) {
      const message = 'the request is larger than a frame may be';
      this.#fail(requestId, { code: 'frame_too_large', message, retryable: false });
    }
    return answer;
  }

  /** Takes a message of the server; what answers no request of these changes nothing. */
  onMessage(message: RawMessage): void {
    const requestId = textOf(message.request_id);
    if (requestId === null) return;
    if (message.type === 'error' || message.type.endsWith('_error'))
      this.#fail(requestId, faultOf(dataOf(message)));
    else if (message.type.endsWith('_success')) this.#take(requestId)?.resolve(dataOf(message));
  }

  failAll(fault: ConnectionFault): void {
    for (const requestId of [...this.#pending.keys()]) this.#fail(requestId, fault);
  }

  #wait<Answer>(requestId: string): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const cancelTimeout = this.#environment.schedule(() => {
        const message = `no answer within ${ANSWER_MS} ms`;
        this.#fail(requestId, { code: 'request_timeout', message, retryable: true });
      }, ANSWER_MS);
      this.#pending.set(requestId, {
        resolve: (data) => resolve(data as Answer),
        reject,
        cancelTimeout,
      });
    });
  }

  #fail(requestId: string, fault: ConnectionFault): void {
    this.#take(requestId)?.reject(new RequestError(fault));
  }

  #take(requestId: string): Pending | undefined {
    const pending = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    pending?.cancelTimeout();
    return pending;
  }
}
