import { EnhancedClient } from './client.ts';
import { connectionKey, type WebSocketConfig } from './config.ts';
import type { Environment } from './environment.ts';

/** The last user leaves so long before the connection ends: a page that changes its view mounts again at once. */
const GRACE_MS = 1_000;

interface Shared {
  readonly client: EnhancedClient;
  users: number;
  cancelEnd: (() => void) | null;
}

/** One client for each configuration, for as long as somebody uses it. */
export class SharedConnections {
  readonly #environment: Environment;
  readonly #shared = new Map<string, Shared>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** The first user connects. Each call needs a `release`. */
  acquire(config: WebSocketConfig): EnhancedClient {
    const key = connectionKey(config);
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = { client: new EnhancedClient(config, this.#environment), users: 0, cancelEnd: null };
      this.#shared.set(key, shared);
      shared.client.connect();
    }
    shared.cancelEnd?.();
    shared.cancelEnd = null;
    shared.users++;
    return shared.client;
  }

  release(config: WebSocketConfig): void {
    const key = connectionKey(config);
    const shared = this.#shared.get(key);
    if (shared === undefined || --shared.users > 0) return;
    shared.cancelEnd = this.#environment.schedule(() => {
      this.#shared.delete(key);
      shared.client.close();
    }, GRACE_MS);
  }
}
