import { LIMITS } from '../../protocol/limits.ts';

/** What a client says about its clocks in a heartbeat. */
export interface ClockReport {
  readonly synced?: boolean | undefined;
  readonly offset_ms?: number | undefined;
}

/** One time of a client, as it is stored. Milliseconds. */
export interface JudgedTime {
  readonly deviceMs: number;
  /** By the hub's clock; null where that cannot be told. */
  readonly correctedMs: number | null;
  readonly clockSuspect: boolean;
}

/** Beyond this a Date cannot go (ECMA-262, time values); a device clock may say anything. */
const MAX_TIME_MS = 8.64e15;

/**
 * Tells when a client's messages happened by the hub's clock.
 *
 * The offset of the client's monotonic clock to the hub's wall clock is the client's own estimate from its
 * heartbeats, and holds for the boot of the present connection only.
 */
export class DeviceClock {
  readonly #bootId: string | undefined;
  /** By epoch, where the client named the boot in which it was written. */
  readonly #bootOfEpoch: ReadonlyMap<string, string>;
  #isSynced: boolean | undefined;
  #offsetMs: number | undefined;

  constructor(
    bootId: string | undefined,
    streams: readonly { readonly epoch: string; readonly boot_id?: string | undefined }[],
    isSynced: boolean | undefined,
  ) {
    this.#bootId = bootId;
    this.#isSynced = isSynced;
    this.#bootOfEpoch = new Map(
      streams.flatMap(({ epoch, boot_id: boot }) => (boot === undefined ? [] : [[epoch, boot]])),
    );
  }

  /** What is not said stays as it was. */
  report({ synced, offset_ms: offsetMs }: ClockReport): void {
    this.#isSynced = synced ?? this.#isSynced;
    this.#offsetMs = offsetMs ?? this.#offsetMs;
  }

  judge(epoch: string, wallMs: number, monoMs: number): JudgedTime {
    const deviceMs = boundedTime(wallMs);
    const correctedMs = this.#corrected(epoch, deviceMs, monoMs);
    const isOff = correctedMs !== null && Math.abs(deviceMs - correctedMs) > LIMITS.clockSuspectMs;
    return { deviceMs, correctedMs, clockSuspect: isOff || this.#isSynced === false };
  }

  #corrected(epoch: string, deviceMs: number, monoMs: number): number | null {
    const boot = this.#bootOfEpoch.get(epoch) ?? this.#bootId;
    if (boot === this.#bootId && this.#offsetMs !== undefined)
      return boundedTime(monoMs + this.#offsetMs);
    return this.#isSynced === true ? deviceMs : null;
  }
}

function boundedTime(ms: number): number {
  return Math.round(Math.max(-MAX_TIME_MS, Math.min(MAX_TIME_MS, ms)));
}
