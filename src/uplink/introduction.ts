import type { StreamAck } from '../protocol/batch.ts';
import { legacyGreetingSchema } from '../protocol/legacy.ts';
import { LIMITS } from '../protocol/limits.ts';
import type {
  ConnectionEstablished,
  ErrorFrame,
  IdentificationSuccess,
} from '../protocol/session.ts';
import type { OutboxStream, OutboxStreams, SinkPeer } from '../store/requests.ts';
import type { Clock, TimerHandle } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import type { Dialect } from './dialect/dialect.ts';
import { EnhancedDialect } from './dialect/enhanced-dialect.ts';
import type { LegacyDialect } from './dialect/legacy-dialect.ts';
import type { EvidenceOrders } from './evidence/evidence-orders.ts';
import type { Line } from './link/line.ts';
import { isClockSynced } from './liveness/time-sync.ts';
import { planResume, type SendStream } from './sending/lane-cursor.ts';
import type { StreamOrders } from './stream-orders.ts';
import type { UplinkStore } from './uplink-store.ts';

/** For the handshake and both frames of the introduction. */
const INTRODUCTION_MS = LIMITS.identifyTimeoutMs + 2_000;
/** Servers of the original protocol may wait for the client to speak first. */
const GREETING_MS = 2_000;
/** Streams of older epochs told in one `client_identify`, which has to stay below 16 KiB. */
const OLDER_STREAMS = 100;
/** A refusal in the free words of the original protocol. */
const ABOUT_AUTH = /auth|token|credential|forbidden/i;

export interface IntroductionOptions {
  readonly token: string;
  readonly clientId: string;
  readonly bootId: string;
  readonly compression: 'off' | 'deflate';
  readonly store: UplinkStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly legacyDialect: () => LegacyDialect;
  /** Null where this edge takes no requests for its cameras. */
  readonly orders: StreamOrders | null;
  /** Null where this edge gives nothing away. */
  readonly evidence: EvidenceOrders | null;
}

/** A connection whose hub has accepted this edge. */
export interface Accepted {
  readonly dialect: Dialect;
  readonly streams: readonly SendStream[];
  readonly isTruncated: OutboxStreams['isTruncated'];
  readonly welcome: IdentificationSuccess['data'];
}

interface Told {
  readonly outbox: OutboxStreams;
  readonly peer: SinkPeer | null;
  /** How far each lane was acknowledged at any time, by lane number. */
  readonly ackedSeqs: readonly number[];
}

/** The first phase of a session: finds out what the hub speaks, and says who this is. */
export class Introduction {
  readonly #options: IntroductionOptions;
  readonly #line: Line;
  readonly #onAccepted: (accepted: Accepted) => void;
  readonly #timers: TimerHandle[];
  readonly #enhanced: EnhancedDialect;
  #dialect: Dialect;
  #isIntroduced = false;
  #told: Told | null = null;

  constructor(options: IntroductionOptions, line: Line, onAccepted: (accepted: Accepted) => void) {
    this.#options = options;
    this.#line = line;
    this.#onAccepted = onAccepted;
    this.#enhanced = new EnhancedDialect(options.compression);
    this.#dialect = this.#enhanced;
    const giveUp = (): void =>
      line.fail('UPLINK_TIMEOUT', 'the hub did not introduce itself in time');
    this.#timers = [options.clock.setTimeout(giveUp, INTRODUCTION_MS)];
  }

  /** The WebSocket is open: the hub's turn to greet. */
  onOpened(): void {
    const { clock } = this.#options;
    this.#timers.push(clock.setTimeout(() => this.#onSilence(), GREETING_MS));
  }

  onBinary(): void {
    this.#line.fail('UPLINK_PROTOCOL', 'the hub sent a binary frame before anything was agreed on');
  }

  onText(text: string): void {
    if (!this.#isIntroduced && isLegacyGreeting(text)) {
      this.#begin(this.#options.legacyDialect());
      return;
    }
    if (this.#dialect !== this.#enhanced && this.#isLateGreeting(text)) {
      this.#line.fail('UPLINK_TIMEOUT', 'the hub greeted after it had been taken for an old one');
      return;
    }
    const inbound = this.#dialect.readText(text);
    if (inbound.kind === 'fault') this.#line.fail('UPLINK_PROTOCOL', inbound.message);
    if (inbound.kind !== 'frames') return;
    for (const frame of inbound.frames) {
      if (frame.type === 'connection_established') this.#onGreeting(frame.data);
      if (frame.type === 'identification_success') this.#onWelcome(frame.data);
      if (frame.type === 'error') this.#onError(frame.data);
      if (frame.type === 'server_draining') this.#line.drain(frame.data.reconnect_after_ms);
    }
  }

  end(): void {
    for (const timer of this.#timers) timer.cancel();
  }

  #onSilence(): void {
    if (this.#isIntroduced) return;
    this.#options.log.info({}, 'the hub does not greet; trying the original protocol');
    this.#begin(this.#options.legacyDialect());
  }

  #isLateGreeting(text: string): boolean {
    const inbound = this.#enhanced.readText(text);
    return inbound.kind === 'frames' && inbound.frames[0]?.type === 'connection_established';
  }

  #onGreeting(data: ConnectionEstablished['data']): void {
    if (this.#isIntroduced) return;
    const fault = this.#enhanced.greeted(data);
    if (fault === null) this.#begin(this.#enhanced);
    else this.#line.fail('UPLINK_PROTOCOL', fault, { kind: 'refused', retryAfterMs: null });
  }

  #begin(dialect: Dialect): void {
    this.#isIntroduced = true;
    this.#dialect = dialect;
    this.#introduce(dialect).catch((error: unknown) =>
      this.#line.fail('INTERNAL', `the outbox could not be listed: ${String(error)}`),
    );
  }

  async #introduce(dialect: Dialect): Promise<void> {
    const { store, clock, clientId, token, bootId, orders } = this.#options;
    const [outbox, peer, { lanes }] = await Promise.all([
      store.streams(OLDER_STREAMS),
      store.peer(),
      store.queue(),
    ]);
    this.#told = { outbox, peer, ackedSeqs: lanes.map(({ ackedSeq }) => ackedSeq) };
    const introduction = {
      clientId,
      token,
      bootId,
      isClockSynced: isClockSynced(),
      peer,
      streams: outbox.streams,
      canSendEvidence: this.#options.evidence !== null,
      cameras: orders?.cameras() ?? null,
    };
    const now = { wallMs: clock.wallMs(), monoMs: clock.monotonicMs() };
    this.#line.send(dialect.identify(introduction, now));
  }

  #onWelcome(welcome: IdentificationSuccess['data']): void {
    if (this.#told === null) return;
    const { outbox, peer, ackedSeqs } = this.#told;
    this.#told = null;
    this.end();
    const { isTruncated } = outbox;
    if (this.#dialect.deliveryLevel === 'process') {
      // Such a hub cannot say what it has, so what it once took is not sent to it again.
      const streams = planResume(outbox.streams, ackedOf(outbox.streams, ackedSeqs)).streams;
      this.#onAccepted({ dialect: this.#dialect, streams, isTruncated, welcome });
      return;
    }
    this.#notePeer(peer, { storeId: welcome.store_id, sessionToken: welcome.session_token });
    const { streams, rolledBack } = planResume(outbox.streams, welcome.resume.streams);
    // Detections and states that a crash took from memory are no surprise: the hub had them, the disk did not.
    const surprising = rolledBack.filter(({ lane, isCurrent }) => isCurrent || lane < 2);
    if (surprising.length > 0)
      this.#options.log.error({ streams: surprising }, 'hub has more than the outbox gave out');
    if (rolledBack.some(({ isCurrent }) => isCurrent)) {
      this.#line.renewEpoch('the hub has other messages under the numbers of this epoch');
      return;
    }
    this.#onAccepted({ dialect: this.#dialect, streams, isTruncated, welcome });
  }

  #notePeer(before: SinkPeer | null, now: SinkPeer): void {
    const { store, log } = this.#options;
    if (before !== null && before.storeId !== now.storeId)
      log.warn({ before: before.storeId, now: now.storeId }, 'hub replaced; sending all it lacks');
    store.savePeer(now).catch((error: unknown) => log.warn({ err: error }, 'hub not noted'));
  }

  #onError(data: ErrorFrame['data']): void {
    const { code, message, retry_after_ms: retryAfterMs = null } = this.#line.note(data);
    if (code === 'epoch_fork') this.#line.renewEpoch(message);
    if (this.#dialect.deliveryLevel === 'disk') return;
    // An old hub may leave the connection open after it said no.
    const isAuth = ABOUT_AUTH.test(`${code} ${message}`);
    this.#line.fail(isAuth ? 'UPLINK_AUTH_FAILED' : 'UPLINK_REFUSED', `${code}: ${message}`, {
      kind: 'refused',
      retryAfterMs,
    });
  }
}

/** What this side remembers of acknowledgements, as a hub would tell it. */
function ackedOf(streams: readonly OutboxStream[], ackedSeqs: readonly number[]): StreamAck[] {
  return streams.map(({ epoch, lane, nextSeq }) => ({
    epoch,
    lane,
    acked_through: Math.min(ackedSeqs[lane] ?? 0, nextSeq - 1),
  }));
}

/** A greeting that names no protocol, which every hub of the current one does. */
function isLegacyGreeting(text: string): boolean {
  try {
    const greeting = legacyGreetingSchema.safeParse(JSON.parse(text));
    return greeting.success && text.length <= LIMITS.maxFrameBytes;
  } catch {
    // Not JSON: the dialect says so.
    return false;
  }
}
