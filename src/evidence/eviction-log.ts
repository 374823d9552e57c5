import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '../system/logger.ts';
import type { Eviction, EvidenceClass } from './evidence-files.ts';

/** The log and the one before it take twice this much. */
const MOST_BYTES = 1_000_000;

/** What was given up of one class since the start. */
export interface EvictionCount {
  files: number;
  bytes: number;
  /** Of these, files of events that the hub had not acknowledged. */
  undelivered: number;
}

export interface EvictionLogOptions {
  /** `<data_dir>/evictions.jsonl`, with `.1` behind it for the one before. */
  path: string;
  /** Until when everything that happened has been acknowledged by the hub, Unix milliseconds; null for nothing. */
  deliveredUntil: () => Promise<number | null>;
  log: Logger;
}

/** Remembers every file of evidence that was given up for newer ones. */
export class EvictionLog {
  readonly #options: EvictionLogOptions;
  readonly #counts = new Map<EvidenceClass, EvictionCount>();
  #writes: Promise<void> = Promise.resolve();

  constructor(options: EvictionLogOptions) {
    this.#options = options;
  }

  /** By class. */
  get counts(): Readonly<Record<string, EvictionCount>> {
    return Object.fromEntries(this.#counts);
  }

  add(eviction: Eviction): void {
    this.#writes = this.#writes
      .then(() => this.#write(eviction))
      .catch((error: unknown) => {
        this.#options.log.error(
          { err: error, eviction },
          'evidence given up, and not written down',
        );
      });
  }

  /** Resolves when everything told so far is written. */
  async settled(): Promise<void> {
    await this.#writes;
  }

  async #write(eviction: Eviction): Promise<void> {
    const { path, deliveredUntil, log } = this.#options;
    const until = await deliveredUntil();
    const isDelivered = until !== null && eviction.writtenAt <= until;
    this.#count(eviction, isDelivered);
    const entry = {
      evidence: eviction.evidence,
      camera_id: eviction.cameraId,
      id: eviction.id,
      bytes: eviction.bytes,
      written_at: eviction.writtenAt,
      is_delivered: isDelivered,
    };
    if (!isDelivered)
      log.warn(entry, 'evidence of an event that the hub does not have was given up');
    await this.#turnOver(path);
    await mkdir(dirname(path), { recursive: true });
    await appendFile(path, `${JSON.stringify(entry)}\n`, { mode: 0o640 });
  }

  #count({ evidence, bytes }: Eviction, isDelivered: boolean): void {
    const count = this.#counts.get(evidence) ?? { files: 0, bytes: 0, undelivered: 0 };
    count.files++;
    count.bytes += bytes;
    if (!isDelivered) count.undelivered++;
    this.#counts.set(evidence, count);
  }

  async #turnOver(path: string): Promise<void> {
    try {
      if ((await stat(path)).size >= MOST_BYTES) await rename(path, `${path}.1`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
