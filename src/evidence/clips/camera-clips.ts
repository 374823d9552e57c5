import { link, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ApexError } from '../../system/errors.ts';
import type { Logger } from '../../system/logger.ts';
import type { EvidenceFiles } from '../evidence-files.ts';
import { type ClipLengths, ClipPlan, type PlannedClip } from './clip-plan.ts';
import { cutClip } from './cut-clip.ts';
import type { PacketRing, RingSegment } from './packet-ring.ts';

/** A camera with long gaps between key frames, or that has gone, is waited for no longer. */
const PATIENCE_MS = 15_000;

export interface CameraClipsOptions {
  readonly cameraId: string;
  readonly lengths: ClipLengths;
  readonly ring: PacketRing;
  readonly files: EvidenceFiles;
  /** Where clips are cut, on the file system of the finished ones. */
  readonly workDir: string;
  readonly ffmpegPath: string;
  readonly log: Logger;
}

/** Clips around the alerts of one camera, cut from its ring. */
export class CameraClips {
  readonly #options: CameraClipsOptions;
  readonly #plan: ClipPlan;
  #cutting: Promise<void> = Promise.resolve();
  /** From when on clips need packets that are being cut now. */
  readonly #inWork = new Set<number>();
  /** Alerts whose clip is not there yet, and may come. */
  readonly #awaited = new Set<string>();
  #made = 0;
  #missed = 0;

  constructor(options: CameraClipsOptions) {
    this.#options = options;
    this.#plan = new ClipPlan(options.lengths);
  }

  /** Clips since the start, and alerts without one. */
  get counts(): { made: number; missed: number } {
    return { made: this.#made, missed: this.#missed };
  }

  /** @throws Error when there is no folder for its packets */
  open(): void {
    this.#options.ring.open();
  }

  /** @param monoMs arrival of the frame that raised it */
  alert(alertId: string, monoMs: number): void {
    this.#awaited.add(alertId);
    this.#plan.alert(alertId, monoMs);
  }

  /** Whether the clip of an alert is still to come. */
  isAwaited(alertId: string): boolean {
    return this.#awaited.has(alertId);
  }

  /** To be called about every second. */
  tick(nowMs: number): void {
    const { ring } = this.#options;
    const isReady = ({ toMs }: PlannedClip): boolean =>
      ring.isComplete(toMs) || nowMs >= toMs + PATIENCE_MS;
    this.#cut(this.#plan.take(isReady));
    const needed = [this.#plan.neededFromMs, ...this.#inWork].filter((ms) => ms !== null);
    ring.prune(nowMs, needed.length === 0 ? null : Math.min(...needed));
  }

  /** The camera ends: what is planned is cut from what there is. */
  async finish(): Promise<void> {
    this.#cut(this.#plan.take(() => true));
    await this.#cutting;
    await this.#options.ring.close();
  }

  #cut(clips: readonly PlannedClip[]): void {
    for (const clip of clips) {
      const segments = this.#ofOneForm(clip);
      this.#inWork.add(clip.fromMs);
      this.#cutting = this.#cutting
        .then(() => this.#store(clip, segments))
        .finally(() => {
          this.#inWork.delete(clip.fromMs);
          for (const id of clip.alertIds) this.#awaited.delete(id);
        });
    }
  }

  /** A player takes no pictures of another size or codec: a clip has those of when its first alert was raised. */
  #ofOneForm({ fromMs, toMs, alertIds }: PlannedClip): readonly RingSegment[] {
    const { ring, lengths, log } = this.#options;
    const covering = ring.covering(fromMs, toMs);
    const alertMs = fromMs + lengths.preMs;
    const atAlert = covering.findLast(({ startMs }) => startMs <= alertMs) ?? covering[0];
    const segments = covering.filter(({ form }) => form === atAlert?.form);
    if (segments.length < covering.length)
      log.warn(
        { alerts: alertIds, form: atAlert?.form },
        'the camera changed its pictures: the clip is of those at the alert alone',
      );
    return segments;
  }

  async #store(clip: PlannedClip, segments: readonly RingSegment[]): Promise<void> {
    const { cameraId, files, workDir, ffmpegPath, log } = this.#options;
    const [first, ...others] = clip.alertIds.filter((id) => !files.isBarred(id));
    // Everybody whom it would show is forgotten.
    if (first === undefined) return;
    const target = join(workDir, `${cameraId}-${first}.mp4`);
    const names = new Map([
      [first, target],
      ...others.map((id) => [id, `${target}.${id}`] as const),
    ]);
    try {
      if (segments.length === 0)
        throw new ApexError('EVIDENCE_CLIP_FAILED', 'the camera sent nothing at that time');
      await mkdir(workDir, { recursive: true });
      await cutClip(ffmpegPath, segments, target);
      // One file with a name for each alert that it shows.
      for (const id of others) await link(target, names.get(id) ?? target);
      for (const [eventId, path] of names) await this.#keep(eventId, path);
      this.#made++;
    } catch (error) {
      this.#missed += clip.alertIds.length;
      for (const path of names.values()) await rm(path, { force: true });
      log.warn({ err: error, alerts: clip.alertIds }, 'no clip of these alerts');
    }
  }

  /** What somebody was forgotten for meanwhile is left out, and the rest is kept. */
  async #keep(eventId: string, path: string): Promise<void> {
    const { cameraId, files } = this.#options;
    try {
      await files.save({ cameraId, eventId }, path);
    } catch (error) {
      if (!(error instanceof ApexError) || error.code !== 'EVIDENCE_FORGOTTEN') throw error;
    }
  }
}
