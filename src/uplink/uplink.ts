import {
  afterProgress,
  type Backoff,
  capOf,
  INITIAL_BACKOFF,
  reconnectDelay,
} from '../protocol/reconnection.ts';
import { bootId, type Clock, type TimerHandle } from '../system/clock.ts';
import type { ApexError, ErrorCode } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { packageVersion } from '../system/package-info.ts';
import {
  afterCredentialChange,
  afterSession,
  atDial,
  type Breaker,
  CLOSED_BREAKER,
} from './breaker.ts';
import type { DeliveryLevel } from './dialect/dialect.ts';
import { LegacyDialect } from './dialect/legacy-dialect.ts';
import { EvidenceOrders } from './evidence/evidence-orders.ts';
import type { EvidenceSource } from './evidence/evidence-source.ts';
import { uploadEvidence } from './evidence/evidence-upload.ts';
import type { Accepted } from './introduction.ts';
import { type EndedSession, outcomeOf, ruinOf } from './judgement.ts';
import { type ConnectionEvent, type ConnectionState, transition } from './link/connection.ts';
import { type CredentialSources, Credentials } from './link/credentials.ts';
import { type HubUrl, parseHubUrl } from './link/hub-url.ts';
import type { OffsetEstimate } from './liveness/clock-offset.ts';
import { Heartbeats } from './liveness/heartbeats.ts';
import { Suspects } from './poison/suspects.ts';
import { Session, type SessionOptions } from './session.ts';
import { StreamOrders, type StreamRequestHandler } from './stream-orders.ts';
import type { UplinkStore } from './uplink-store.ts';

/** How often a changed token is looked for while the hub refuses the old one. */
const CREDENTIAL_CHECK_MS = 1_000;

export interface UplinkOptions extends CredentialSources {
  /** `ws://` or `wss://` address of the hub. */
  readonly url: string;
  /** The edge's id, unique at the hub. */
  readonly clientId: string;
  readonly store: UplinkStore;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  /** `deflate` sends large batches deflated to hubs that can inflate; `off` by default. */
  readonly compression?: 'off' | 'deflate';
  /** What the hub asks of the cameras; without it nothing is, and none are announced. */
  readonly requests?: StreamRequestHandler;
  /** What the hub may have of the evidence; without it, nothing. */
  readonly evidence?: EvidenceSource;
}

/** As many as an edge has cameras. */
const MOST_CONFLICTS = 256;

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
  readonly breaker: {
    readonly state: Breaker['state'];
    /** Why it opened; null while it is closed. */
    readonly reason: ErrorCode | null;
    /** Until the next try; null unless it is open. */
    readonly retryInMs: number | null;
  };
  readonly backoff: {
    readonly attempts: number;
    /** Until the next try; null while there is a connection. */
    readonly nextInMs: number | null;
    /** The most that is waited for a hub that cannot be reached. */
    readonly capMs: number;
  };
  /** What the last hub's acknowledgements stand for; `process` for one of the original protocol. */
  readonly deliveryLevel: DeliveryLevel | null;
  /** Messages that a hub of the original protocol does not know, since the start. */
  readonly withheld: number;
  /** Cameras that another edge has announced too, in the hub's words; of this connection or the last one. */
  readonly cameraConflicts: readonly string[];
  /** How the hub's wall clock stands to this box's monotonic one. */
  readonly clock: OffsetEstimate | null;
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
  readonly #heartbeats: Heartbeats;
  readonly #credentials: Credentials;
  readonly #orders: StreamOrders | null;
  readonly #evidence: EvidenceOrders | null;
  #state: ConnectionState = 'disconnected';
  #since: number;
  #backoff: Backoff = INITIAL_BACKOFF;
  #breaker: Breaker = CLOSED_BREAKER;
  #lastError: ApexError | null = null;
  #lastAckMono: number | null = null;
  #lastDialMs = Number.NEGATIVE_INFINITY;
  #deliveryLevel: DeliveryLevel | null = null;
  #withheld = 0;
  #cameraConflicts: readonly string[] = [];
  #session: Session | null = null;
  /** Monotonic time of the next try. */
  #retryMs: number | null = null;
  #retry: TimerHandle | null = null;
  #isRunning = false;

  /** @throws ApexError UPLINK_URL, UPLINK_TLS, and what the credentials throw */
  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#url = parseHubUrl(options.url);
    this.#log = options.log.child({ part: 'uplink' });
    this.#credentials = new Credentials(options, this.#log);
    this.#suspects = new Suspects(options.store, this.#log);
    this.#heartbeats = new Heartbeats(options.store, options.clock, this.#log);
    this.#orders = options.requests === undefined ? null : new StreamOrders(options.requests);
    this.#evidence = this.#evidenceOrders(options.evidence);
    this.#since = options.clock.monotonicMs();
  }

  #evidenceOrders(source: EvidenceSource | undefined): EvidenceOrders | null {
    if (source === undefined) return null;
    return new EvidenceOrders({
      ...{ source, log: this.#log },
      upload: (requestId, evidence) => {
        const credential = this.#credentials.current();
        return uploadEvidence(evidence, { hubUrl: this.#url.href, credential, requestId });
      },
    });
  }

  get status(): UplinkStatus {
    const nowMs = this.#options.clock.monotonicMs();
    const { state, reason } = this.#breaker;
    const nextInMs = this.#retryMs === null ? null : Math.max(0, this.#retryMs - nowMs);
    return {
      state: this.#state,
      since: this.#since,
      attempts: this.#backoff.attempts,
      lastError: this.#lastError,
      lastAckMono: this.#lastAckMono,
      inFlight: this.#session?.inFlight ?? 0,
      breaker: { state, reason, retryInMs: state === 'open' ? nextInMs : null },
      backoff: {
        attempts: this.#backoff.attempts,
        nextInMs,
        capMs: capOf(this.#backoff, nowMs),
      },
      deliveryLevel: this.#deliveryLevel,
      withheld: this.#withheld,
      cameraConflicts: this.#cameraConflicts,
      clock: this.#heartbeats.offset,
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
    this.#retryMs = null;
    const session = this.#session;
    if (session === null) return;
    // Answered behind every message that was enqueued before, so all of them are known to the session.
    await this.#options.store.streams(0).catch((error: unknown) => {
      this.#log.warn({ err: error }, 'stopping without the store');
    });
    await session.finish(drainMs);
  }

  #dial(): void {
    this.#retryMs = null;
    if (!this.#step('dial')) return;
    this.#lastDialMs = this.#options.clock.monotonicMs();
    this.#breaker = atDial(this.#breaker);
    this.#session = new Session(this.#sessionOptions(), {
      onOpened: () => this.#step('opened'),
      onIdentified: (welcome, level) => this.#onIdentified(welcome, level),
      onProgress: (what) => this.#onProgress(what),
      onCameraConflict: (reason) => this.#onCameraConflict(reason),
      onEnded: (ended) => this.#onEnded(ended),
    });
  }

  #sessionOptions(): SessionOptions {
    const { clientId, store, clock, compression = 'off' } = this.#options;
    return {
      ...this.#credentials.current(),
      url: this.#url.href,
      clientId,
      bootId: bootId(),
      store,
      clock,
      compression,
      log: this.#log,
      suspects: this.#suspects,
      heartbeats: this.#heartbeats,
      orders: this.#orders,
      evidence: this.#evidence,
      isProbe: this.#breaker.state === 'half_open',
      legacyDialect: () =>
        new LegacyDialect(packageVersion(), (messages) => this.#onWithheld(messages)),
    };
  }

  #onIdentified({ reconnect }: Accepted['welcome'], level: DeliveryLevel): void {
    const { base_ms: baseMs, cap_ms: capMs } = reconnect;
    this.#backoff = { ...this.#backoff, baseMs, capMs };
    this.#lastError = null;
    this.#cameraConflicts = [];
    this.#log.info({ url: this.#url.shown }, 'hub connected');
    if (level === 'process' && this.#deliveryLevel !== level)
      this.#log.warn(
        { delivery_level: level },
        'the hub speaks the original protocol: messages count as delivered once its process has read them',
      );
    this.#deliveryLevel = level;
    this.#step('identified');
  }

  #onWithheld(messages: number): void {
    if (this.#withheld === 0)
      this.#log.warn({ messages }, 'messages withheld that the original protocol does not know');
    this.#withheld += messages;
  }

  #onCameraConflict(reason: string): void {
    if (this.#cameraConflicts.includes(reason)) return;
    this.#log.error({ reason }, 'a camera is not of this edge alone');
    if (this.#cameraConflicts.length < MOST_CONFLICTS)
      this.#cameraConflicts = [...this.#cameraConflicts, reason];
  }

  #onProgress(what: 'batch' | 'heartbeat'): void {
    this.#backoff = afterProgress(this.#backoff);
    this.#breaker = CLOSED_BREAKER;
    if (what === 'batch') this.#lastAckMono = this.#options.clock.monotonicMs();
  }

  #onEnded(ended: EndedSession): void {
    this.#session = null;
    if (!this.#isRunning) {
      this.#step('closed');
      return;
    }
    const ruin = ruinOf(ended);
    if (ruin !== null) this.#suspects.onEnded(ruin);
    const { clock, random } = this.#options;
    const nowMs = clock.monotonicMs();
    const { ending, error } = ended.verdict;
    this.#breaker = afterSession(this.#breaker, outcomeOf(ended), { nowMs, random });
    const { delayMs, backoff } = reconnectDelay(this.#backoff, ending, { nowMs, random });
    this.#backoff = backoff;
    this.#retryMs = this.#breaker.state === 'open' ? this.#breaker.untilMs : nowMs + delayMs;
    this.#logEnd(error, this.#retryMs - nowMs);
    this.#lastError = error;
    this.#step('closed');
    this.#wait(ending.kind === 'refused' || this.#breaker.state === 'open');
  }

  /** @param isRefused another token or certificate may change the hub's mind */
  #wait(isRefused: boolean): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (isRefused && this.#credentials.haveChanged()) {
      this.#log.info({}, 'credentials changed; trying again');
      this.#credentials.current();
      const at = { nowMs, lastDialMs: this.#lastDialMs };
      this.#breaker = afterCredentialChange(this.#breaker, at);
      this.#retryMs = this.#breaker.state === 'open' ? this.#breaker.untilMs : nowMs;
      this.#credentials.current();
    }
    const leftMs = Math.max(0, (this.#retryMs ?? nowMs) - nowMs);
    const isLast = !isRefused || leftMs <= CREDENTIAL_CHECK_MS;
    this.#retry = clock.setTimeout(
      () => (isLast ? this.#dial() : this.#wait(isRefused)),
      isLast ? leftMs : CREDENTIAL_CHECK_MS,
    );
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
