import type { WebSocketConfig } from './config.ts';
import type { ConnectionFault } from './connection-state.ts';

export type TokenAnswer = { readonly token: string } | { readonly fault: ConnectionFault };

/** Where the token of each connection comes from: fixed, or asked of the application. */
export class TokenSource {
  #getToken: (() => string | Promise<string>) | null;
  readonly #fixed: string;

  constructor({ token, getToken }: Pick<WebSocketConfig, 'token' | 'getToken'>) {
    this.#fixed = token ?? '';
    this.#getToken = getToken ?? null;
  }

  replace(getToken: () => string | Promise<string>): void {
    this.#getToken = getToken;
  }

  /** Answers once, at once where the token is at hand; whatever `getToken` does, nothing is thrown. */
  ask(onAnswer: (answer: TokenAnswer) => void): void {
    if (this.#getToken === null) {
      onAnswer({ token: this.#fixed });
      return;
    }
    let given: unknown;
    try {
      given = this.#getToken();
    } catch (error) {
      onAnswer(unavailable(`getToken failed: ${textOfError(error)}`));
      return;
    }
    if (typeof given === 'string') onAnswer(judged(given));
    else
      Promise.resolve(given).then(
        (token) => onAnswer(judged(token)),
        (error) => onAnswer(unavailable(`getToken failed: ${textOfError(error)}`)),
      );
  }
}

/** An application in JavaScript may well give `undefined` for somebody who is not logged in. */
function judged(token: unknown): TokenAnswer {
  if (typeof token === 'string' && token !== '') return { token };
  return unavailable('getToken gave no token');
}

function unavailable(message: string): TokenAnswer {
  return { fault: { code: 'token_unavailable', message, retryable: true } };
}

function textOfError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
