import { statfs } from 'node:fs/promises';
import type { CameraView } from '../../api/edge-status.ts';
import type { Config } from '../../config/schema.ts';
import { type AnalysedCamera, EngineWatch } from '../../events/watch/engine-watch.ts';
import type { Finding } from '../../events/watch/open-conditions.ts';
import { type DiskReading, judgeDisk, OutboxWatch } from '../../events/watch/storage-watch.ts';
import type { Store } from '../../store/store.ts';
import type { Logger } from '../../system/logger.ts';
import { type ThermalZone, thermalZones } from '../../system/thermal.ts';
import type { ExecutionProvider } from '../../vision/contract.ts';
import type { VisionHandle } from '../../vision/handle.ts';

export interface BoxWatchDeps {
  readonly dataDir: string;
  /** `/sys/class/thermal`, or what stands for it. */
  readonly thermalDir: string;
  readonly alerts: Config['alerts'];
  /** Of the detector, as it is configured. */
  readonly provider: 'auto' | ExecutionProvider;
  readonly store: Pick<Store, 'queue'>;
  readonly vision: { readonly status: Pick<VisionHandle['status'], 'provider' | 'restarts'> };
  readonly log: Logger;
  /** Room of the file system that a path is on. */
  readonly diskOf?: (path: string) => Promise<DiskReading>;
}

const READ_MS = 10_000;
/** Below this the mean over a few seconds says nothing. */
const LEAST_FPS = 1;

/** Looks after the box itself: what runs the detector, heat, and room on the disk. */
export class BoxWatch {
  readonly #deps: BoxWatchDeps;
  readonly #engine: EngineWatch | null;
  readonly #outbox: OutboxWatch | null;
  #readMs = Number.NEGATIVE_INFINITY;
  #isReading = false;
  /** Found since the last look. */
  #found: Finding[] = [];
  #hottest: ThermalZone | null = null;
  /** What could not be read, told once. */
  readonly #unread = new Set<string>();

  /** @param best that ran the detector on this box in an earlier run */
  constructor(deps: BoxWatchDeps, best: ExecutionProvider | null) {
    this.#deps = deps;
    const { engine_degraded: engine, storage_low: storage } = deps.alerts;
    const { severity, max_celsius: maxCelsius } = engine;
    const { provider } = deps;
    this.#engine = engine.enabled
      ? new EngineWatch({ severity, maxCelsius, provider }, best)
      : null;
    this.#outbox = storage.enabled ? new OutboxWatch(storage.severity) : null;
  }

  /** The best that ever ran the detector here; null for none, or where nobody looks. */
  get bestProvider(): ExecutionProvider | null {
    return this.#engine?.bestProvider ?? null;
  }

  get isReading(): boolean {
    return this.#isReading;
  }

  /** What is found now. To be called about every second. */
  look(cameras: readonly CameraView[], monoMs: number): readonly Finding[] {
    if (!this.#isReading && monoMs - this.#readMs >= READ_MS) {
      this.#readMs = monoMs;
      this.#isReading = true;
      void this.#read(monoMs).finally(() => {
        this.#isReading = false;
      });
    }
    const { provider, restarts } = this.#deps.vision.status;
    const found = this.#found;
    this.#found = [];
    const reading = {
      ...{ report: provider, restarts, hottest: this.#hottest },
      cameras: cameras.filter(({ state }) => state === 'streaming').map(analysedOf),
    };
    return [...found, ...(this.#engine?.look(reading, monoMs) ?? [])];
  }

  /** What has to be waited for. */
  async #read(monoMs: number): Promise<void> {
    const { dataDir, thermalDir, alerts, store, diskOf = fileSystemOf } = this.#deps;
    const outbox = this.#outbox;
    if (outbox !== null) {
      const { min_free_percent: minFreePercent, min_free_mb, severity } = alerts.storage_low;
      const limits = { minFreePercent, minFreeBytes: min_free_mb * 1e6, severity };
      await this.#attempt('room on the disk', async () => {
        const finding = judgeDisk(await diskOf(dataDir), limits);
        if (finding !== null) this.#found.push(finding);
      });
      await this.#attempt('the outbox', async () => {
        const { mode, fault, lanes } = await store.queue();
        const evicted = lanes.reduce((sum, lane) => sum + lane.evictedCount, 0);
        const reading = { mode, fault: fault?.message ?? null, evicted };
        this.#found.push(...outbox.look(reading, monoMs));
      });
    }
    if (this.#engine !== null)
      await this.#attempt('temperatures', async () => {
        this.#hottest = hottestOf(await thermalZones(thermalDir));
      });
  }

  async #attempt(what: string, read: () => Promise<void>): Promise<void> {
    try {
      await read();
      this.#unread.delete(what);
    } catch (error) {
      if (!this.#unread.has(what)) this.#deps.log.warn({ err: error, what }, 'cannot be read');
      this.#unread.add(what);
    }
  }
}

async function fileSystemOf(path: string): Promise<DiskReading> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

function hottestOf(zones: readonly ThermalZone[]): ThermalZone | null {
  return zones.reduce<ThermalZone | null>(
    (hottest, zone) => (hottest === null || zone.celsius > hottest.celsius ? zone : hottest),
    null,
  );
}

function analysedOf({
  camera_id,
  fps,
  analysed,
  stream,
  frames_dropped,
}: CameraView): AnalysedCamera {
  const asked = analysed?.fps ?? null;
  // More than the camera sends nobody can analyse.
  const possible = asked === null ? null : Math.min(asked, stream?.fps ?? asked);
  const askedFps = possible === null || possible < LEAST_FPS ? null : possible;
  return { cameraId: camera_id, fps, askedFps, dropped: frames_dropped };
}
