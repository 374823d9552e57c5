import type { BatchAck, FlowCredit, ResyncRequired } from '../../protocol/batch.ts';
import { LANES } from '../../protocol/lanes.ts';
import type { OutboxBatch } from '../../store/outbox/outbox-rows.ts';
import type { OutboxStreams } from '../../store/requests.ts';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';
import type { Dialect } from '../dialect/dialect.ts';
import type { Line } from '../link/line.ts';
import type { Outstanding } from '../liveness/liveness.ts';
import { type Evidence, onlyMessage, type Suspects } from '../poison/suspects.ts';
import { Trial } from '../poison/trial.ts';
import type { UplinkStore } from '../uplink-store.ts';
import { CreditPause } from './credit-pause.ts';
import { LaneCursor, type SendStream } from './lane-cursor.ts';
import { Pump } from './pump.ts';
import { bury } from './rejections.ts';
import { SendLoop } from './send-loop.ts';
import { type BatchInFlight, Window } from './window.ts';

/** Sending pauses above the first and goes on below the second, so that a heartbeat never waits long. */
const BUFFER_HIGH_BYTES = 1024 * 1024;
const BUFFER_LOW_BYTES = 256 * 1024;

export interface SenderOptions {
  readonly store: UplinkStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly line: Line;
  readonly dialect: Dialect;
  readonly streams: readonly SendStream[];
  /** More older streams are to be listed once these are done. */
  readonly isTruncated: OutboxStreams['isTruncated'];
  readonly suspects: Suspects;
  readonly credit: FlowCredit;
  /** Begins with one small batch. */
  readonly isProbe: boolean;
  /** A batch goes out, and whether none was in flight before. */
  readonly onSent: (isFirst: boolean) => void;
  readonly onAcked: () => void;
  /** The connection cannot go on; `isFault` where the hub broke the protocol. */
  readonly onStuck: (reason: string, isFault: boolean) => void;
}

/** Sends the outbox over one authenticated connection and takes the acknowledgements. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #cursors: readonly LaneCursor[];
  readonly #window: Window;
  readonly #pump: Pump;
  readonly #trial: Trial;
  readonly #loop: SendLoop;
  readonly #creditPause: CreditPause;
  readonly #epoch: string;
  #nextRequest = 1;
  #isCongested = false;
  #isStopped = false;
  #timer: TimerHandle | null = null;
  #lastResync: string | null = null;
  #onDrained: (() => void) | null = null;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#cursors = LANES.map(
      (lane) =>
        new LaneCursor(
          lane,
          options.streams.filter((stream) => stream.lane === lane),
          options.isTruncated,
        ),
    );
    this.#window = new Window(options.credit, options.isProbe);
    this.#pump = new Pump(this.#cursors, this.#window);
    this.#trial = new Trial(options.suspects);
    this.#loop = new SendLoop({
      isBlocked: () => this.#isStopped || this.#isCongested,
      sendOne: () => this.#sendOne(),
      onFailure: (error) => {
        options.log.error({ err: error }, 'outbox not read');
        this.#stuck('the outbox could not be read', false);
      },
    });
    this.#creditPause = new CreditPause(this.#window, options.clock, () => this.#loop.run());
    const current = options.streams.find(({ isCurrent }) => isCurrent);
    this.#epoch = current?.epoch ?? options.store.position.epoch;
  }

  get inFlight(): readonly BatchInFlight[] {
    return this.#window.inFlight;
  }

  /** Evidence for the suspected message that is in flight alone; null where none is. */
  get alone(): Evidence | null {
    return this.#trial.alone;
  }

  get outstanding(): Outstanding {
    const { inFlight } = this.#window;
    return {
      batches: inFlight.length,
      hasAlerts: inFlight.some(({ lane }) => lane === 0),
      largestBytes: Math.max(0, ...inFlight.map(({ bytes }) => bytes)),
    };
  }

  /** Not acknowledged, by lane number. */
  get pending(): Record<string, number> {
    return Object.fromEntries(this.#cursors.map(({ lane, pending }) => [lane, pending]));
  }

  /** Passes on what the hub already has, and begins. */
  start(): void {
    const { store, isTruncated } = this.#options;
    // Between the listed streams and the current one lie others that the hub has not got yet.
    const told = this.#options.streams.filter(({ isCurrent }) => !(isTruncated && isCurrent));
    for (const { lane } of this.#cursors) {
      for (const stream of told.filter((entry) => entry.lane === lane)) {
        // A hub that has nothing of a stream acknowledges nothing.
        if (stream.ackedThrough >= stream.firstSeq)
          store.acked(stream.epoch, lane, stream.ackedThrough);
        if (stream.ackedThrough < stream.nextSeq - 1) break;
      }
    }
    this.wake();
  }

  /** Something was stored. */
  wake(): void {
    if (this.#isStopped) return;
    const { epoch, nextSeq } = this.#options.store.position;
    if (epoch !== this.#epoch) {
      this.#stuck('the outbox began a new epoch', false);
      return;
    }
    const nowMs = this.#options.clock.monotonicMs();
    for (const cursor of this.#cursors) cursor.onCommitted(nextSeq[cursor.lane] ?? 1, nowMs);
    this.#goOn();
  }

  /** Resolves when everything stored so far is acknowledged; never on a connection that is lost. */
  drained(): Promise<void> {
    this.#pump.hurry();
    this.#loop.run();
    return new Promise((resolve) => {
      this.#onDrained = resolve;
      this.#noteDrained();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#creditPause.stop();
  }

  setCredit(credit: FlowCredit, resumeAfterMs: number | undefined): void {
    this.#creditPause.setCredit(credit, resumeAfterMs);
    this.#loop.run();
  }

  onHeartbeat(): void {
    this.#trial.onHeartbeat();
  }

  /** One beat of the connection. */
  onBeat(): void {
    if (this.#trial.onBeat()) this.#loop.run();
  }

  onAck({ request_id: requestId, data }: BatchAck): void {
    const lane = (requestId === undefined ? null : this.sentAs(requestId))?.lane;
    bury(this.#options, lane ?? data.acks[0]?.lane, data.rejected);
    const nowMs = this.#options.clock.monotonicMs();
    for (const ack of data.acks) {
      const cursor = this.#cursors[ack.lane];
      const verdict = cursor?.onAck(ack, nowMs);
      if (verdict?.kind === 'impossible') {
        const reason = `acknowledgement of ${ack.acked_through} in lane ${ack.lane}, which was never sent`;
        this.#stuck(reason, true);
        return;
      }
      if (verdict?.kind !== 'progress') continue;
      this.#options.store.acked(ack.epoch, ack.lane, ack.acked_through);
      this.#window.onAck(ack, nowMs);
      this.#trial.onAcked();
      this.#lastResync = null;
      this.#options.onAcked();
    }
    if (data.flow !== undefined) this.#window.setCredit(data.flow);
    this.#goOn();
  }

  onResync({ data: { epoch, lane, expected_seq: expectedSeq, reason } }: ResyncRequired): void {
    const { clock, log } = this.#options;
    log.warn({ epoch, lane, expected_seq: expectedSeq, reason }, 'hub asks for a resync');
    const key = `${epoch}/${lane}/${expectedSeq}`;
    const isRepeated = this.#lastResync === key;
    this.#lastResync = key;
    // Sent again and refused again: a fresh connection may help, a tight loop will not.
    const isPossible =
      !isRepeated && this.#cursors[lane]?.rewind(epoch, expectedSeq, clock.monotonicMs()) === true;
    if (!isPossible) {
      this.#stuck(`resync to ${expectedSeq} in lane ${lane} is not possible here`, true);
      return;
    }
    this.#window.forget(epoch, lane);
    this.#loop.run();
  }

  sentAs(requestId: string): BatchInFlight | null {
    return this.#window.inFlight.find((batch) => batch.requestId === requestId) ?? null;
  }

  #goOn(): void {
    this.#noteDrained();
    if (this.#options.isTruncated && this.#cursors.every((cursor) => cursor.isAtCurrent)) {
      this.#stuck('more streams of older epochs are to be listed', false);
      return;
    }
    this.#loop.run();
  }

  /** False where there is nothing to send for now. */
  async #sendOne(): Promise<boolean> {
    this.#timer?.cancel();
    const allowed = this.#trial.allowed(this.#heads(), this.#window.inFlight.length);
    const decision = this.#pump.decide(this.#options.clock.monotonicMs(), allowed);
    if (decision.do === 'wait')
      this.#timer = this.#options.clock.setTimeout(() => this.#loop.run(), decision.ms);
    if (decision.do !== 'send') return false;
    const head = this.#cursors[decision.lane]?.head;
    if (head === null || head === undefined) return false;
    const { sentThrough: afterSeq } = head;
    const { store, suspects } = this.#options;
    const batch = await store.readBatch({ ...head, afterSeq }, suspects.limits(head, decision));
    // A resync may have moved the position meanwhile.
    if (!this.#isStopped && head.sentThrough === afterSeq) this.#send(head, batch);
    return true;
  }

  /** Of the lanes that have something to send. */
  #heads(): SendStream[] {
    return this.#cursors.flatMap(({ head, available }) =>
      head !== null && available > 0 ? [head] : [],
    );
  }

  #send(head: SendStream, batch: OutboxBatch): void {
    const { epoch, lane, sentThrough, isSameBoot } = head;
    if (batch.items.length === 0 || batch.through <= sentThrough) {
      this.#stuck('the outbox no longer has what it should', false);
      return;
    }
    const { clock, line, dialect } = this.#options;
    const nowMs = clock.monotonicMs();
    const requestId = `b-${this.#nextRequest++}`;
    const { items, through } = batch;
    const payloads = dialect.batch(
      { requestId, epoch, lane, firstSeq: sentThrough + 1, through, items, isSameBoot },
      { wallMs: clock.wallMs(), monoMs: nowMs },
    );
    this.#trial.onSend(head);
    const isFirst = this.#window.inFlight.length === 0;
    this.#window.onSent(
      {
        requestId,
        epoch,
        lane,
        afterSeq: sentThrough,
        through,
        messages: items.length,
        bytes: batch.bytes,
        only: onlyMessage(batch),
      },
      nowMs,
    );
    this.#cursors[lane]?.onSent(through, nowMs);
    this.#pump.onSent(lane, items.length);
    for (const payload of payloads) line.send(payload, () => this.#onWritten());
    this.#isCongested = line.bufferedBytes > BUFFER_HIGH_BYTES;
    this.#options.onSent(isFirst);
  }

  #onWritten(): void {
    if (!this.#isCongested || this.#options.line.bufferedBytes > BUFFER_LOW_BYTES) return;
    this.#isCongested = false;
    this.#loop.run();
  }

  #noteDrained(): void {
    if (this.#cursors.every((cursor) => cursor.pending === 0)) this.#onDrained?.();
  }

  #stuck(reason: string, isFault: boolean): void {
    if (this.#isStopped) return;
    this.stop();
    this.#options.onStuck(reason, isFault);
  }
}
