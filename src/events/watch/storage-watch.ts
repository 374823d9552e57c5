import type { Finding, WatchSeverity } from './open-conditions.ts';

export interface StorageLimits {
  /** Share of the file system, in percent, below which little is free. */
  readonly minFreePercent: number;
  readonly minFreeBytes: number;
  readonly severity: WatchSeverity;
}

export interface DiskReading {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What of the outbox tells that it is in trouble. */
export interface OutboxReading {
  readonly mode: 'disk' | 'memory';
  /** Why the file cannot be written, in words; null where it can. */
  readonly fault: string | null;
  /** Messages given up unsent for want of room, since the file was made. */
  readonly evicted: number;
}

const CRITICAL_PERCENT = 1;
/** Once little is free, so much more than the limit has to be free for that to be over. */
const ENOUGH = 1.2;
/** Without another message given up for so long, there is room again. */
const ROOM_MS = 600_000;

const DISK_KEY = 'storage_low:disk';
const OUTBOX_KEY = 'storage_low:outbox';
const ROOM_KEY = 'storage_low:room';

/** How much room the file system of the data has. Null where that is neither little nor enough. Pure. */
export function judgeDisk(
  { freeBytes, totalBytes }: DiskReading,
  { minFreePercent, minFreeBytes, severity }: StorageLimits,
): Finding | null {
  const percent = totalBytes > 0 ? (100 * freeBytes) / totalBytes : 0;
  const data = { free_bytes: freeBytes, total_bytes: totalBytes };
  const left = `${megabytes(freeBytes)} (${percent.toFixed(1)} %) free`;
  if (percent >= minFreePercent * ENOUGH && freeBytes >= minFreeBytes * ENOUGH) {
    const why = `${left} where the data is kept`;
    return { key: DISK_KEY, condition: null, ending: { type: 'storage_recovered', why, data } };
  }
  if (percent >= minFreePercent && freeBytes >= minFreeBytes) return null;
  return {
    key: DISK_KEY,
    condition: {
      ...{ type: 'storage_low', cameraId: null, data },
      severity: percent < CRITICAL_PERCENT ? 'critical' : severity,
      why: `only ${left} where the data is kept`,
    },
  };
}

/** Whether the outbox is written and has room. Pure: time comes in. */
export class OutboxWatch {
  readonly #severity: WatchSeverity;
  #evicted: number | null = null;
  #evictedMs: number | null = null;
  #firstMs: number | null = null;

  constructor(severity: WatchSeverity) {
    this.#severity = severity;
  }

  look(reading: OutboxReading, monoMs: number): Finding[] {
    return [this.#file(reading), this.#room(reading.evicted, monoMs)].filter(
      (finding) => finding !== null,
    );
  }

  #file({ mode, fault }: OutboxReading): Finding {
    const type = 'storage_recovered';
    if (mode === 'disk' && fault === null)
      return {
        key: OUTBOX_KEY,
        condition: null,
        ending: { type, why: 'the disk is written again' },
      };
    const what = mode === 'memory' ? 'what comes is kept in memory only' : 'the outbox has a fault';
    const why = `${what}: ${fault ?? 'the disk cannot be written'}`;
    const about = { type: 'storage_low', cameraId: null, severity: 'critical' } as const;
    return { key: OUTBOX_KEY, condition: { ...about, why, data: { mode } } };
  }

  #room(evicted: number, monoMs: number): Finding | null {
    const lost = evicted - (this.#evicted ?? evicted);
    if (lost > 0) this.#evictedMs = monoMs;
    this.#evicted = evicted;
    this.#firstMs ??= monoMs;
    const isLosing = this.#evictedMs !== null && monoMs - this.#evictedMs < ROOM_MS;
    // What an earlier run saw is not over because this one has just begun.
    if (!isLosing && monoMs - this.#firstMs < ROOM_MS) return null;
    if (!isLosing) {
      const why = 'no message was given up for ten minutes';
      return { key: ROOM_KEY, condition: null, ending: { type: 'storage_recovered', why } };
    }
    const why = 'messages that wait for the hub are given up, the least important first: no room';
    const about = { type: 'storage_low', cameraId: null, severity: this.#severity };
    return { key: ROOM_KEY, condition: { ...about, why, data: { evicted } } };
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
