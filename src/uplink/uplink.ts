import type { IdentificationSuccess } from '../protocol/session.ts';
import { bootId, type Clock, type TimerHandle } from '../system/clock.ts';
import type { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { afterProgress, type Backoff, INITIAL_BACKOFF, reconnectDelay } from './backoff.ts';
import { type ConnectionEvent, type ConnectionState, transition } from './connection.ts';
import type { EndVerdict } from './ending.ts';
import { type HubUrl, parseHubUrl } from './hub-url.ts';
import { Session } from './session.ts';
import { checkTls, type TlsOptions } from './socket.ts';
import { Suspects } from './suspects.ts';
import type { UplinkStore } from './uplink-store.ts';

export interface UplinkOptions {
  /** `ws://` or `wss://` address of the hub. */
  readonly url: string;
  readonly token: string;
  /** The edge's id, unique at the hub. */
  readonly clientId: string;
  readonly store: UplinkStore;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  readonly tls?: TlsOptions;
}

export interface UplinkStatus {
  readonly state: ConnectionState;
  /** Monotonic time since when the state holds. */
  readonly since: number;
  /** Connections in a row that came to nothing. */
  readonly attempts: number;
  /** Why there is no connection; null while there is. */
  readonly lastError: ApexError | null;
  /** Monotonic time when the hub last acknowledged messages. */
  readonly lastAckMono: number | null;
  /** Messages sent and not acknowledged. */
  readonly inFlight: number;
}

/**
 * Carries the outbox to the hub: connects, identifies, resumes where the hub says, sends, and begins again
 * whenever the connection ends. Nothing that is stored is lost or asked for by it; it only goes later.
 */
export class Uplink {
  readonly #options: UplinkOptions;
  readonly #url: HubUrl;
  readonly #log: Logger;
  readonly #listeners = new Set<(status: UplinkStatus) => void>();
  readonly #suspects: Suspects;
  #state: ConnectionState = 'disconnected';
  #since: number;
  #backoff: Backoff = INITIAL_BACKOFF;
  #lastError: ApexError | null = null;
  #lastAckMono: number | null = null;
  #session: Session | null = null;
  #retry: TimerHandle | null = null;
  #isRunning = false;

  /** @throws ApexError UPLINK_URL, UPLINK_TLS */
  constructor(options: UplinkOptions) {
    this.#options = options;
    checkTls(options.tls ?? {});
    this.#url = parseHubUrl(options.url);
    this.#log = options.log.child({ part: 'uplink' });
    this.#suspects = new Suspects(options.store, this.#log);
    this.#since = options.clock.monotonicMs();
  }

  get status(): UplinkStatus {
    return {
      state: this.#state,
      since: this.#since,
      attempts: this.#backoff.attempts + this.#backoff.refusals,
      lastError: this.#lastError,
      lastAckMono: this.#lastAckMono,
      inFlight: this.#session?.inFlight ?? 0,
    };
  }

  /** Calls back on every change of state or error. Returns how to stop that. */
  onStatus(listener: (status: UplinkStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    if (this.#url.isExposed)
      this.#log.warn(
        { url: this.#url.shown, remedy: 'use wss://' },
        'the token and all messages cross the network in clear',
      );
    this.#dial();
  }

  /** Sends what is stored for up to `drainMs`, says goodbye and closes. What is left stays in the store. */
  async stop({ drainMs }: { readonly drainMs: number }): Promise<void> {
    this.#isRunning = false;
    this.#retry?.cancel();
    const session = this.#session;
    if (session === null) return;
    // Answered behind every message that was enqueued before, so all of them are known to the session.
    await this.#options.store.streams(0).catch((error: unknown) => {
      this.#log.warn({ err: error }, 'stopping without the store');
    });
    await session.finish(drainMs);
  }

  #dial(): void {
    if (!this.#step('dial')) return;
    const { token, clientId, store, clock, tls = {} } = this.#options;
    this.#session = new Session(
      {
        url: this.#url.href,
        token,
        clientId,
        bootId: bootId(),
        tls,
        store,
        suspects: this.#suspects,
        clock,
        log: this.#log,
      },
      {
        onOpened: () => this.#step('opened'),
        onIdentified: (advice) => this.#onIdentified(advice),
        onProgress: (what) => this.#onProgress(what),
        onEnded: (verdict) => this.#onEnded(verdict),
      },
    );
  }

  #onIdentified({
    base_ms: baseMs,
    cap_ms: capMs,
  }: IdentificationSuccess['data']['reconnect']): void {
    this.#backoff = { ...this.#backoff, baseMs, capMs };
    this.#lastError = null;
    this.#log.info({ url: this.#url.shown }, 'hub connected');
    this.#step('identified');
  }

  #onProgress(what: 'batch' | 'heartbeat'): void {
    this.#backoff = afterProgress(this.#backoff);
    if (what === 'batch') this.#lastAckMono = this.#options.clock.monotonicMs();
  }

  #onEnded({ ending, error }: EndVerdict): void {
    this.#session = null;
    if (!this.#isRunning) {
      this.#step('closed');
      return;
    }
    const { clock, random } = this.#options;
    const at = { nowMs: clock.monotonicMs(), random };
    const { delayMs, backoff } = reconnectDelay(this.#backoff, ending, at);
    this.#backoff = backoff;
    this.#logEnd(error, delayMs);
    this.#lastError = error;
    this.#step('closed');
    this.#retry = clock.setTimeout(() => this.#dial(), delayMs);
  }

  /** The same failure over and over is told once. */
  #logEnd(error: ApexError | null, delayMs: number): void {
    const fields = { retry_in_ms: Math.round(delayMs), ...(error && { error: error.toJSON() }) };
    const isNews = error !== null && error.code !== this.#lastError?.code;
    if (isNews) this.#log.warn(fields, 'hub not connected');
    else this.#log.debug(fields, 'hub not connected');
  }

  #step(event: ConnectionEvent): boolean {
    const next = transition(this.#state, event);
    if (next === null) {
      this.#log.error({ state: this.#state, event }, 'impossible step of the connection');
      return false;
    }
    this.#state = next;
    this.#since = this.#options.clock.monotonicMs();
    for (const listener of this.#listeners) listener(this.status);
    return true;
  }
}
