import type { EnhancedClient } from './client.ts';
import type { WebSocketConfig } from './config.ts';
import type { RawHandler } from './handlers.ts';
import { RequestError } from './requests.ts';
import type { Outgoing } from './session-frames.ts';
import type { SharedConnections } from './shared-connections.ts';
import { INITIAL_SNAPSHOT, type Snapshot } from './snapshot.ts';
import { WishedCameras } from './wished-cameras.ts';

/**
 * What one component wants of a connection: its handlers and cameras. It outlives the connection, so that they
 * survive StrictMode's second mount and a change of configuration, and go with the component and nothing else's.
 */
export class ConnectionUser {
  readonly #connections: SharedConnections;
  readonly #handlers: { type: string; handler: RawHandler }[] = [];
  readonly #cameras = new WishedCameras();
  readonly #listeners = new Set<() => void>();
  #client: EnhancedClient | null = null;
  /** The client's newest, and what this component is shown of it. */
  #snapshot: Snapshot = INITIAL_SNAPSHOT;
  #shown: Snapshot = INITIAL_SNAPSHOT;

  constructor(connections: SharedConnections) {
    this.#connections = connections;
  }

  /** @returns a function that detaches it again */
  attach(config: WebSocketConfig): () => void {
    const client = this.#connections.acquire(config);
    this.#client = client;
    for (const { type, handler } of this.#handlers) client.addHandler(type, handler);
    for (const camera of this.#cameras.names()) client.addCamera(camera);
    const endListening = client.onChange(() => this.#look(client));
    this.#look(client);
    // What React rendered last may be another client's.
    this.#tell();
    return () => {
      endListening();
      for (const { type, handler } of this.#handlers) client.removeHandler(type, handler);
      for (const camera of this.#cameras.names()) client.removeCamera(camera);
      this.#client = null;
      this.#snapshot = INITIAL_SNAPSHOT;
      this.#shown = INITIAL_SNAPSHOT;
      this.#connections.release(config);
    };
  }

  readonly listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): Snapshot => this.#shown;

  readonly connect = (): void => this.#client?.connect();
  readonly disconnect = (): void => this.#client?.disconnect();

  setGetToken(getToken: (() => string | Promise<string>) | undefined): void {
    if (getToken !== undefined) this.#client?.setGetToken(getToken);
  }

  /** A handler that is there already is not added again. */
  addHandler(type: string, handler: RawHandler): void {
    if (this.#handlers.some((each) => each.type === type && each.handler === handler)) return;
    this.#handlers.push({ type, handler });
    this.#client?.addHandler(type, handler);
  }

  removeHandler(type: string, handler: RawHandler): void {
    const at = this.#handlers.findIndex((each) => each.type === type && each.handler === handler);
    if (at < 0) return;
    this.#handlers.splice(at, 1);
    this.#client?.removeHandler(type, handler);
  }

  readonly subscribe = (camera: string): Promise<void> => {
    const earlier = this.#cameras.answerOf(camera);
    if (earlier !== null) return earlier;
    const answer = this.#cameras.add(camera);
    this.#client?.addCamera(camera);
    // Another component may have it already.
    if (this.#client !== null) this.#look(this.#client);
    return answer;
  };

  readonly unsubscribe = (camera: string): void => {
    if (!this.#cameras.remove(camera)) return;
    this.#client?.removeCamera(camera);
    if (this.#client !== null) this.#look(this.#client);
  };

  send(message: Outgoing): boolean {
    return this.#client?.send(message) ?? false;
  }

  request<Answer>(type: string, data: unknown): Promise<Answer> {
    if (this.#client !== null) return this.#client.request<Answer>(type, data);
    const message = 'the component is not mounted';
    return Promise.reject(new RequestError({ code: 'not_connected', message, retryable: true }));
  }

  /** Takes over what the client has to tell; a camera that was refused concerns those that want it. */
  #look(client: EnhancedClient): void {
    const refusal = this.#cameras.settle((camera) => client.answerOf(camera));
    const { snapshot } = client;
    const error = snapshot.status === 'connected' && refusal !== null ? refusal : snapshot.error;
    if (this.#snapshot === snapshot && this.#shown.error === error) return;
    this.#snapshot = snapshot;
    this.#shown = error === snapshot.error ? snapshot : { ...snapshot, error };
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
