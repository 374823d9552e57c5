import type { ConnectionFault } from './connection-state.ts';
import type { Environment } from './environment.ts';

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
export class PendingRequests {
  readonly #environment: Environment;
  readonly #pending = new Map<string, Pending>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Resolves with the answer's `data`. @throws RequestError */
  add<Answer>(requestId: string, timeoutMs: number): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const cancelTimeout = this.#environment.schedule(() => {
        const message = `no answer within ${timeoutMs} ms`;
        this.fail(requestId, { code: 'request_timeout', message, retryable: true });
      }, timeoutMs);
      this.#pending.set(requestId, {
        resolve: (data) => resolve(data as Answer),
        reject,
        cancelTimeout,
      });
    });
  }

  answer(requestId: string, data: unknown): void {
    this.#take(requestId)?.resolve(data);
  }

  fail(requestId: string, fault: ConnectionFault): void {
    this.#take(requestId)?.reject(new RequestError(fault));
  }

  failAll(fault: ConnectionFault): void {
    for (const requestId of [...this.#pending.keys()]) this.fail(requestId, fault);
  }

  #take(requestId: string): Pending | undefined {
    const pending = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    pending?.cancelTimeout();
    return pending;
  }
}
