import type { WebSocketConfig } from './config.ts';
import { Connection } from './connection.ts';
import { statusOf } from './connection-state.ts';
import type { Environment } from './environment.ts';
import { MessageHandlers, type RawHandler, type RawMessage } from './handlers.ts';
import { Outbox } from './outbox.ts';
import { NOT_CONNECTED, RequestError, Requests } from './requests.ts';
import type { Outgoing } from './session-frames.ts';
import { type Snapshot, SnapshotPublisher } from './snapshot.ts';
import { Statistics } from './statistics.ts';
import { type CameraAnswer, Subscription } from './subscription.ts';

/** A viewer's connection to the server, with all that is said over it: framework-free. */
export class EnhancedClient {
  readonly #environment: Environment;
  readonly #connection: Connection;
  readonly #subscription: Subscription;
  readonly #requests: Requests;
  readonly #outbox = new Outbox();
  readonly #handlers = new MessageHandlers();
  readonly #statistics: Statistics;
  readonly #snapshots: SnapshotPublisher;

  constructor(config: WebSocketConfig, environment: Environment) {
    this.#environment = environment;
    this.#snapshots = new SnapshotPublisher(environment, () => this.#takeSnapshot());
    this.#statistics = new Statistics(() => this.#snapshots.onNumbersChanged());
    const send = (message: Outgoing) => this.#connection.send(message);
    this.#requests = new Requests(environment, send);
    this.#subscription = new Subscription(environment, {
      isConnected: () => this.#connection.isConnected,
      send,
      onChange: () => this.#snapshots.onStateChanged(),
    });
    this.#connection = new Connection(config, environment, {
      onStateChanged: () => this.#snapshots.onStateChanged(),
      onConnected: (storeId) => {
        this.#subscription.onConnected(storeId);
        this.#outbox.empty(send);
      },
      onDropped: () => {
        this.#subscription.onDropped();
        this.#requests.failAll(NOT_CONNECTED);
      },
      onMessage: (message) => this.#onMessage(message),
      onSent: () => this.#statistics.onSent(),
      onLatency: (latencyMs) => this.#statistics.onLatency(latencyMs),
    });
  }

  get snapshot(): Snapshot {
    return this.#snapshots.current;
  }

  /** Told of a new snapshot, and of answers to wishes for cameras. */
  onChange(listener: () => void): () => void {
    return this.#snapshots.listen(listener);
  }

  /** Also begins anew at once after a refusal, or after the client gave up. */
  connect(): void {
    this.#connection.connect();
  }

  /** Stays disconnected until `connect`. Subscriptions and handlers are kept. */
  disconnect(): void {
    this.#connection.disconnect();
  }

  /** Disconnects for good: no timer is left. */
  close(): void {
    this.#connection.disconnect();
    this.#subscription.stop();
    this.#snapshots.stop();
  }

  setGetToken(getToken: () => string | Promise<string>): void {
    this.#connection.setGetToken(getToken);
  }

  addHandler(type: string, handler: RawHandler): void {
    this.#handlers.add(type, handler);
  }

  removeHandler(type: string, handler: RawHandler): void {
    this.#handlers.remove(type, handler);
  }

  addCamera(camera: string): void {
    this.#subscription.add(camera);
  }

  removeCamera(camera: string): void {
    this.#subscription.remove(camera);
  }

  answerOf(camera: string): CameraAnswer {
    return this.#subscription.answerOf(camera);
  }

  /** @returns false if the message was neither sent nor kept for later */
  send(message: Outgoing): boolean {
    return this.#connection.isConnected
      ? this.#connection.send(message)
      : this.#outbox.keep(message);
  }

  /** Resolves with the `data` of the answer. @throws RequestError */
  request<Answer>(type: string, data: unknown): Promise<Answer> {
    return this.#connection.isConnected
      ? this.#requests.ask<Answer>(type, data)
      : Promise.reject(new RequestError(NOT_CONNECTED));
  }

  #onMessage(message: RawMessage): void {
    this.#statistics.onReceived();
    if (typeof message.event_id === 'number') {
      if (!this.#subscription.accept(message.event_id, message)) return;
    } else {
      this.#subscription.onMessage(message);
      this.#requests.onMessage(message);
    }
    this.#handlers.tell(message, (error) => this.#environment.report(error));
  }

  #takeSnapshot(): Snapshot {
    const { state } = this.#connection;
    const status = statusOf(state);
    return {
      status,
      error: state.fault ?? this.#subscription.missing,
      stats: {
        status,
        ...this.#statistics.current,
        reconnectAttempts: state.backoff.attempts,
      },
    };
  }
}
