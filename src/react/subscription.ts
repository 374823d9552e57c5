import { camerasOf } from '../protocol/message-cameras.ts';
import { isInScope } from '../protocol/scopes.ts';
import { ALL_CAMERAS, CameraSubscriptions } from './camera-subscriptions.ts';
import type { ConnectionFault } from './connection-state.ts';
import type { Environment } from './environment.ts';
import type { RawMessage } from './handlers.ts';
import { dataOf, faultOf, numberOf, type Outgoing } from './session-frames.ts';

/** What the server said to the wish for a camera; null as long as it said nothing. */
export type CameraAnswer = 'served' | ConnectionFault | null;

/** The newest `subscribe` of a connection: only its answer tells where events begin. */
interface Asked {
  readonly requestId: string;
  readonly cameras: readonly string[];
}

export interface SubscriptionPort {
  readonly isConnected: () => boolean;
  readonly send: (message: Outgoing) => void;
  /** An answer came, or it became known that events are missing. */
  readonly onChange: () => void;
}

/** Keeps the one subscription of a connection as the components want it, and their cameras' answers. */
export class Subscription {
  readonly #environment: Environment;
  readonly #port: SubscriptionPort;
  readonly #cameras = new CameraSubscriptions();
  readonly #answers = new Map<string, CameraAnswer>();
  #asked: Asked | null = null;
  /** The server refused the cameras by name, on this connection. */
  #isWide = false;
  #isResumed = false;
  #cancelAsking: (() => void) | null = null;
  #missing: ConnectionFault | null = null;

  constructor(environment: Environment, port: SubscriptionPort) {
    this.#environment = environment;
    this.#port = port;
  }

  /** Why events may be missing since the newest connection; null where none is. */
  get missing(): ConnectionFault | null {
    return this.#missing;
  }

  answerOf(camera: string): CameraAnswer {
    return this.#answers.get(camera) ?? null;
  }

  add(camera: string): void {
    if (this.#cameras.add(camera)) this.#askSoon();
  }

  remove(camera: string): void {
    if (!this.#cameras.remove(camera)) return;
    this.#answers.delete(camera);
    this.#askSoon();
  }

  onConnected(storeId: string): void {
    this.#missing = this.#cameras.enterStore(storeId)
      ? eventsMissing('the server has another database than before. Its events begin anew')
      : null;
    this.#isWide = false;
    this.#isResumed = false;
    this.#ask();
  }

  onDropped(): void {
    this.#asked = null;
    this.#answers.clear();
  }

  /** No timer is left. */
  stop(): void {
    this.#cancelAsking?.();
    this.#cancelAsking = null;
  }

  /** Takes note of an event; true if it is new and wanted. */
  accept(eventId: number, message: RawMessage): boolean {
    return this.#cameras.accept(eventId, camerasOf(message.type, message.data));
  }

  /** Takes a message that is no event; what answers no `subscribe` changes nothing. */
  onMessage(message: RawMessage): void {
    if (message.type === 'subscription_success') this.#resume(dataOf(message));
    const asked = this.#asked;
    if (asked === null || message.request_id !== asked.requestId) return;
    if (message.type === 'subscription_success') this.#onConfirmed(asked, dataOf(message));
    else if (message.type === 'error') this.#onRefused(asked, faultOf(dataOf(message)));
  }

  /** The first answer on a connection comes before any of its events: does the server still have what was seen? */
  #resume(data: Record<string, unknown>): void {
    if (this.#isResumed) return;
    this.#isResumed = true;
    const lastEventId = numberOf(data.last_event_id);
    const seen = this.#cameras.rewind(lastEventId);
    if (seen === null) return;
    this.#missing = eventsMissing(
      `the server's newest event is ${lastEventId}, but ${seen} was seen here: it was set back, perhaps to a backup. ` +
        'Events go on from what it has',
    );
    this.#port.onChange();
  }

  #onConfirmed({ cameras }: Asked, data: Record<string, unknown>): void {
    this.#cameras.confirm(cameras, numberOf(data.last_event_id));
    const inForce = Array.isArray(data.cameras) ? data.cameras : [ALL_CAMERAS];
    this.#answer(cameras, (camera) => answerTo(camera, inForce));
    this.#port.onChange();
  }

  /**
   * One camera that the token is not for must not take the others' events away: from now on the server is asked for
   * all that the token allows, and what nobody wants is left out here.
   */
  #onRefused({ cameras }: Asked, fault: ConnectionFault): void {
    if (!this.#isWide) {
      this.#isWide = true;
      this.#askSoon();
      return;
    }
    this.#answer(cameras, () => fault);
    this.#port.onChange();
  }

  /** What is no longer wanted has no answer either. */
  #answer(cameras: readonly string[], answerOf: (camera: string) => CameraAnswer): void {
    const wanted = new Set(this.#cameras.names());
    for (const camera of cameras)
      if (wanted.has(camera)) this.#answers.set(camera, answerOf(camera));
  }

  /** Components that mount together change the subscription once. */
  #askSoon(): void {
    this.#cancelAsking ??= this.#environment.schedule(() => this.#ask(), 0);
  }

  #ask(): void {
    this.stop();
    if (!this.#port.isConnected()) return;
    const wanted = this.#cameras.wanted();
    if (wanted === null) {
      if (this.#asked !== null) this.#port.send({ type: 'unsubscribe', data: {} });
      this.#asked = null;
      return;
    }
    const requestId = this.#environment.newId();
    this.#asked = { requestId, cameras: this.#cameras.names() };
    const data = { types: ['*'], ...wanted, ...(this.#isWide && { cameras: [ALL_CAMERAS] }) };
    this.#port.send({ type: 'subscribe', request_id: requestId, data });
  }
}

/** `*` asks for whatever the token allows, so it is served by any subscription. */
function answerTo(camera: string, inForce: readonly string[]): CameraAnswer {
  if (camera === ALL_CAMERAS || isInScope(inForce, camera)) return 'served';
  const message = `${camera} is not within the token's scope \`cameras\``;
  return { code: 'forbidden', message, retryable: false };
}

function eventsMissing(why: string): ConnectionFault {
  return { code: 'events_missing', message: `events may be missing: ${why}`, retryable: false };
}
