import { rmSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EvidenceView } from '../api/edge-status.ts';
import type { CameraSpec } from '../capture/contract.ts';
import type { Config } from '../config/schema.ts';
import { CameraClips } from '../evidence/clips/camera-clips.ts';
import { PacketRing } from '../evidence/clips/packet-ring.ts';
import { EvictionLog } from '../evidence/eviction-log.ts';
import { type EvidenceClass, EvidenceFiles } from '../evidence/evidence-files.ts';
import {
  clipWorkDir,
  EVIDENCE_FOLDERS,
  type PersonEvidence,
  type RemovedEvidence,
  removeEvidence,
} from '../evidence/evidence-removal.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';

const BYTES_PER_MB = 1e6;
/** Beyond what a clip needs: the frame that raises an alert came a moment ago. */
const SPARE_MS = 5000;
/** Lanes of alerts and of events. */
const EVIDENT_LANES: readonly number[] = [0, 1];

/** Folder for the packets of cameras: in memory, since a disk of a box would be worn out by them. */
export function ringDir({ evidence }: Config, env: NodeJS.ProcessEnv): string {
  const { ring_dir } = evidence.clips;
  // systemd gives a folder below /run.
  const [runtime] = (env.RUNTIME_DIRECTORY ?? '').split(':');
  return ring_dir ?? join(runtime || join(tmpdir(), `apex-edge-${process.pid}`), 'ring');
}

export interface EdgeEvidenceDeps {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What this box keeps of what it saw: snapshots and faces of events, thumbnails and clips of alerts. */
export class EdgeEvidence {
  readonly #deps: EdgeEvidenceDeps;
  readonly #evictions: EvictionLog;
  readonly #files: Readonly<Record<EvidenceClass, EvidenceFiles>>;
  /** By camera: those of its newest run. */
  readonly #clips = new Map<string, CameraClips>();

  constructor(deps: EdgeEvidenceDeps) {
    const { config, store, clock, log } = deps;
    const { data_dir } = config.edge;
    this.#deps = deps;
    const hasHub = config.uplink.url !== undefined;
    this.#evictions = new EvictionLog({
      path: join(data_dir, 'evictions.jsonl'),
      deliveredUntil: () => (hasHub ? deliveredUntil(store, clock) : Promise.resolve(null)),
      log,
    });
    // A crash may have left clips there that nobody will ever finish.
    rmSync(clipWorkDir(data_dir), { recursive: true, force: true });
    const files = (evidence: EvidenceClass, megabytes: number): EvidenceFiles =>
      new EvidenceFiles({
        ...{ evidence, dir: join(data_dir, EVIDENCE_FOLDERS[evidence]), log },
        budgetBytes: megabytes * BYTES_PER_MB,
        onEvicted: (eviction) => this.#evictions.add(eviction),
      });
    const { faces, thumbnails, clips } = config.evidence;
    this.#files = {
      snapshot: files('snapshot', config.snapshots.retain_mb),
      face: files('face', faces.retain_mb),
      thumbnail: files('thumbnail', thumbnails.retain_mb),
      clip: files('clip', clips.retain_mb),
    };
  }

  /** Null where no snapshots are kept. */
  get snapshots(): EvidenceFiles | null {
    return this.#deps.config.snapshots.enabled ? this.#files.snapshot : null;
  }

  get faces(): EvidenceFiles {
    return this.#files.face;
  }

  get thumbnails(): EvidenceFiles {
    return this.#files.thumbnail;
  }

  /** Clips of a camera whose packets are kept; null for another one. */
  clipsOf({ id, ring }: CameraSpec): CameraClips | null {
    if (ring === null) return null;
    const { config, clock, log } = this.#deps;
    const { pre_s, post_s, max_s, ring_mb } = config.evidence.clips;
    const own = log.child({ camera: id });
    const clips = new CameraClips({
      cameraId: id,
      lengths: { preMs: pre_s * 1000, postMs: post_s * 1000, maxMs: max_s * 1000 },
      ring: new PacketRing({
        ...{ dir: ring.dir, budgetBytes: ring_mb * BYTES_PER_MB, clock, log: own },
        keepMs: (pre_s + ring.segmentS) * 1000 + SPARE_MS,
      }),
      files: this.#files.clip,
      workDir: clipWorkDir(config.edge.data_dir),
      ffmpegPath: config.ffmpeg.path,
      log: own,
    });
    this.#clips.set(id, clips);
    return clips;
  }

  /** A file for reading, to be closed; null where there is none. @throws Error where it cannot be read */
  open(kind: EvidenceClass, cameraId: string, id: string): Promise<FileHandle | null> {
    return this.#files[kind].open(cameraId, id);
  }

  /** Whether the clip of an alert is still to come. */
  isAwaited(cameraId: string, alertId: string): boolean {
    return this.#clips.get(cameraId)?.isAwaited(alertId) ?? false;
  }

  /** Deletes what shows a person, and keeps nothing of it from now on. @throws Error as `removeEvidence` does */
  remove(evidence: PersonEvidence): Promise<RemovedEvidence> {
    return removeEvidence(this.#files, evidence);
  }

  /** By class: bytes kept, as far as known, and what was given up since the start. */
  view(): Record<string, EvidenceView> {
    const { counts } = this.#evictions;
    return Object.fromEntries(
      Object.entries(this.#files).map(([evidence, files]) => [
        evidence,
        {
          bytes: files.bytes,
          evicted: counts[evidence]?.files ?? 0,
          evicted_undelivered: counts[evidence]?.undelivered ?? 0,
        },
      ]),
    );
  }

  /** Resolves when everything that was given up is written down. */
  async settled(): Promise<void> {
    await this.#evictions.settled();
  }
}

/** The hub takes alerts and events in their order: what is older than the oldest that waits, it has. */
async function deliveredUntil(store: Store, clock: Clock): Promise<number> {
  const { lanes } = await store.queue();
  const ages = lanes
    .filter(({ lane }) => EVIDENT_LANES.includes(lane))
    .map(({ oldestAgeMs }) => oldestAgeMs ?? 0);
  return clock.wallMs() - Math.max(0, ...ages);
}
