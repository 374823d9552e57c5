import type { Clock, TimerHandle } from '../system/clock.ts';
import { type ApexError, asApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import type { JournalStatus } from './contract.ts';
import { type IntakeKind, IntakeQueue } from './intake-queue.ts';
import type { JournalThread } from './journal-thread.ts';
import type { WriteAnswers, WriteCall } from './requests.ts';

interface JournalWritesOptions {
  readonly thread: Pick<JournalThread<WriteCall, WriteAnswers>, 'call'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly queue?: IntakeQueue;
}

/** What comes within so long shares an fsync. */
const GROUP_MS = 50;
/** After the disk took nothing. */
const RETRY_MS = 2000;

/** Brings what the journal is told to its thread, in groups, alerts first; and again where that failed. */
export class JournalWrites {
  readonly #options: JournalWritesOptions;
  readonly #queue: IntakeQueue;
  #timer: TimerHandle | null = null;
  #sending: Promise<void> | null = null;
  #fault: ApexError | null = null;
  #isClosed = false;

  constructor(options: JournalWritesOptions) {
    this.#options = options;
    this.#queue = options.queue ?? new IntakeQueue();
  }

  /** Whether an alert waits, or is on its way. */
  get hasAlerts(): boolean {
    return this.#queue.count('alert').waiting > 0;
  }

  get status(): Omit<JournalStatus, 'stats' | 'budgetBytes'> {
    const [alerts, events] = [this.#queue.count('alert'), this.#queue.count('event')];
    return {
      waitingEvents: events.waiting,
      waitingAlerts: alerts.waiting,
      undeclaredEvents: events.lost,
      undeclaredAlerts: alerts.lost,
      fault: this.#fault && { code: this.#fault.code, message: this.#fault.message },
    };
  }

  add(kind: IntakeKind, id: string, body: string): void {
    this.#queue.add(kind, id, body);
    this.#sendIn(GROUP_MS);
  }

  rewrite(change: (kind: IntakeKind, id: string, body: string) => string): void {
    this.#queue.rewrite(change);
  }

  /** Resolves once everything told so far is written, or could not be. */
  async flushed(): Promise<void> {
    // What it has begun with may be without the last of it.
    await this.#sending;
    await this.#send();
  }

  async close(): Promise<void> {
    await this.flushed();
    this.#isClosed = true;
    this.#timer?.cancel();
    if (this.#queue.size > 0)
      this.#options.log.error({ ...this.status }, 'journal closed before everything was written');
  }

  #sendIn(delayMs: number): void {
    if (this.#timer !== null || this.#sending !== null || this.#isClosed) return;
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = null;
      void this.#send();
    }, delayMs);
  }

  #send(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
      if (this.#queue.size > 0) this.#sendIn(this.#fault === null ? GROUP_MS : RETRY_MS);
    });
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    try {
      // That it cannot be opened is to be known before there is something to write.
      if (this.#queue.size === 0) await this.#options.thread.call<'open'>({ op: 'open' });
      for (const kind of ['alert', 'event'] as const)
        for (
          let batch = this.#queue.batch(kind);
          batch.length > 0;
          batch = this.#queue.batch(kind)
        ) {
          const bodies = batch.map(([, body]) => body);
          const lost = {
            events: this.#queue.count('event').lost,
            alerts: this.#queue.count('alert').lost,
          };
          await this.#options.thread.call<'write'>({
            op: 'write',
            events: kind === 'event' ? bodies : [],
            alerts: kind === 'alert' ? bodies : [],
            lost,
          });
          this.#queue.written(kind, batch);
          this.#queue.declared(lost);
        }
      this.#recovered();
    } catch (error) {
      this.#failed(asApexError(error, 'JOURNAL_IO'));
    }
  }

  /** A disk that takes nothing is told once, not with every event. */
  #failed(error: ApexError): void {
    if (this.#fault === null)
      this.#options.log.error(
        { err: error },
        'journal cannot be written; what comes waits in memory',
      );
    this.#fault = error;
  }

  #recovered(): void {
    if (this.#fault === null) return;
    this.#fault = null;
    this.#options.log.warn({}, 'journal is written again');
  }
}
