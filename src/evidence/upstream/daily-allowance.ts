import type { Clock } from '../../system/clock.ts';

/** Bytes that were sent, by UTC day (`yyyy-mm-dd`), in the order in which the days came. */
export type SentBytes = Readonly<Record<string, number>>;

export interface DailyAllowanceOptions {
  /** Bytes of evidence that may be sent upstream on one UTC day. */
  readonly bytesPerDay: number;
  /** Of earlier runs. */
  readonly sent: SentBytes;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Called with every change. */
  readonly save: (sent: SentBytes) => void;
}

const DAY_MS = 24 * 3600_000;
/** A clock that is wrong after each start comes back to the same days; they are not forgotten for it. */
const KNOWN_DAYS = 8;

/** What evidence may still be sent today. A mobile connection is paid by its bytes. */
export class DailyAllowance {
  readonly #options: DailyAllowanceOptions;
  readonly #sent: Map<string, number>;

  constructor(options: DailyAllowanceOptions) {
    this.#options = options;
    this.#sent = new Map(Object.entries(options.sent));
  }

  get bytesPerDay(): number {
    return this.#options.bytesPerDay;
  }

  /** Bytes that were taken today. */
  get taken(): number {
    return this.#sent.get(this.#today()) ?? 0;
  }

  /** Unix milliseconds: when the next day begins, in UTC. */
  get renewsAtMs(): number {
    return (Math.floor(this.#options.clock.wallMs() / DAY_MS) + 1) * DAY_MS;
  }

  /** Takes bytes before they are sent; nothing, and false, where today has not so many left. */
  take(bytes: number): boolean {
    const taken = this.taken + bytes;
    if (taken > this.#options.bytesPerDay) return false;
    this.#note(taken);
    return true;
  }

  /** Of bytes taken today: they were not sent. */
  giveBack(bytes: number): void {
    this.#note(Math.max(0, this.taken - bytes));
  }

  #today(): string {
    return new Date(this.#options.clock.wallMs()).toISOString().slice(0, 10);
  }

  #note(taken: number): void {
    this.#sent.set(this.#today(), taken);
    for (const day of this.#sent.keys()) {
      if (this.#sent.size <= KNOWN_DAYS) break;
      if (day !== this.#today()) this.#sent.delete(day);
    }
    this.#options.save(Object.fromEntries(this.#sent));
  }
}
