import type { Finding, WatchSeverity } from './open-conditions.ts';
import { similarity } from './scene-features.ts';

/** What was measured of a small picture of a camera. */
export interface SceneSample {
  /** Of its grey levels, 0..255. */
  readonly deviation: number;
  /** How strong its finest edges are, above 0. */
  readonly sharpness: number;
  /** Whether it has no colours, as by infrared light. */
  readonly isGrey: boolean;
  /** Of `structureOf`. */
  readonly structure: Float32Array;
}

export interface SceneLimits {
  /** Null where nobody wants to know. */
  readonly obscured: WatchSeverity | null;
  readonly changed: WatchSeverity | null;
}

/** So uniform is nothing but a cover, a wall, or the dark. Grey levels. A night with anything in it is less so. */
const UNIFORM = 3;
/** Share of the usual sharpness, for the contrast that there is: below it nobody sees anything. */
const BLURRED = 0.35;
const SHARP_AGAIN = 0.5;
/** So many samples in a row, for each verdict. */
const OBSCURED_SAMPLES = 4;
const CLEAR_SAMPLES = 3;

/** How like the usual a picture of something else is at most, and one of the same at least: shares of what is common. */
const OTHER = 0.5;
const SAME = 0.7;
/** The most that `OTHER` asks for, and the least. */
const OTHER_BOUNDS = { least: 0.15, most: 0.45 } as const;
const CHANGED_MS = 60_000;
/** What is there for so long is the usual. */
const ACCEPTED_MS = 1_800_000;
/** Samples before the usual is known, and the most that count for it. */
const LEARNED = 8;
const REMEMBERED = 60;

/** The usual picture: what it shows, and how sharply. */
interface Usual {
  samples: number;
  structure: Float32Array;
  /** Of the logarithm of the sharpness for the contrast. */
  sharpness: number;
  /** How like it pictures commonly are: where much moves, less. */
  likeness: number;
}

/**
 * Whether a camera still sees what it usually sees. It learns that by itself, by day and by infrared light apart.
 * Pure: time comes in.
 */
export class SceneWatch {
  readonly #cameraId: string;
  readonly #limits: SceneLimits;
  readonly #usual = new Map<boolean, Usual>();
  #obscured = 0;
  #clear = 0;
  #isObscured = false;
  #otherSinceMs: number | null = null;

  constructor(cameraId: string, limits: SceneLimits) {
    this.#cameraId = cameraId;
    this.#limits = limits;
  }

  /** Takes in a sample; one comes about every ten seconds. */
  look(sample: SceneSample, monoMs: number): Finding[] {
    const usual = this.#usual.get(sample.isGrey);
    const known = this.#known(sample.isGrey);
    const why = obscuredWhy(sample, known, this.#isObscured ? SHARP_AGAIN : BLURRED);
    this.#obscured = why === null ? 0 : this.#obscured + 1;
    this.#clear = why === null ? this.#clear + 1 : 0;
    if (this.#obscured >= OBSCURED_SAMPLES) this.#isObscured = true;
    if (this.#clear >= CLEAR_SAMPLES) this.#isObscured = false;
    // Of a picture that shows nothing there is nothing to learn, and nothing that could have changed.
    const changed = why === null ? this.#scene(sample, usual, monoMs) : null;
    const obscured =
      why !== null || this.#clear >= CLEAR_SAMPLES ? this.#obscuredFinding(why) : null;
    return [obscured, changed].filter((finding) => finding !== null);
  }

  /** What is usual by this light, or else by the other; undefined while neither is learned. */
  #known(isGrey: boolean): Usual | undefined {
    return [isGrey, !isGrey]
      .map((light) => this.#usual.get(light))
      .find((usual) => usual !== undefined && usual.samples >= LEARNED);
  }

  #obscuredFinding(why: string | null): Finding | null {
    const { obscured: severity } = this.#limits;
    const key = `camera_obscured:${this.#cameraId}`;
    if (severity === null) return null;
    if (!this.#isObscured) {
      if (why !== null) return null;
      const ending = { type: 'camera_clear', why: `${this.#cameraId} sees again` };
      return { key, condition: null, ending };
    }
    const about = { type: 'camera_obscured', cameraId: this.#cameraId, severity };
    const words = `${this.#cameraId} sees nothing: ${why}`;
    return { key, condition: { ...about, why: words, data: { reason: why } } };
  }

  #scene(sample: SceneSample, usual: Usual | undefined, monoMs: number): Finding | null {
    const isLearned = usual !== undefined && usual.samples >= LEARNED;
    // By the other light much looks otherwise, but not everything.
    const known = this.#known(sample.isGrey);
    const likeness = known === undefined ? 1 : similarity(sample.structure, known.structure);
    const common = usual?.likeness ?? 1;
    const { least, most } = OTHER_BOUNDS;
    const limit = isLearned ? Math.max(least, Math.min(most, OTHER * common)) : least;
    if (known !== undefined && likeness < limit) return this.#other(sample, likeness, monoMs);
    this.#otherSinceMs = null;
    // What is half blurred is not what is usual.
    if (!isBlurred(sample, known, SHARP_AGAIN))
      this.#usual.set(sample.isGrey, learned(usual, sample));
    return isLearned && likeness >= SAME * common
      ? this.#sameScene('it shows the usual again')
      : null;
  }

  #other(sample: SceneSample, likeness: number, monoMs: number): Finding | null {
    this.#otherSinceMs ??= monoMs;
    const otherMs = monoMs - this.#otherSinceMs;
    if (otherMs < CHANGED_MS) return null;
    if (otherMs >= ACCEPTED_MS) {
      this.#otherSinceMs = null;
      this.#usual.set(sample.isGrey, learned(undefined, sample));
      return this.#sameScene('what it shows now is taken for the usual');
    }
    const { changed: severity } = this.#limits;
    if (severity === null) return null;
    const about = { type: 'scene_changed', cameraId: this.#cameraId, severity };
    const why = `${this.#cameraId} shows something else than usual: it may have been turned or moved`;
    const data = { likeness: Math.round(likeness * 100) / 100 };
    return { key: this.#sceneKey, condition: { ...about, why, data } };
  }

  #sameScene(why: string): Finding | null {
    if (this.#limits.changed === null) return null;
    const ending = { type: 'scene_restored', why: `${this.#cameraId}: ${why}` };
    return { key: this.#sceneKey, condition: null, ending };
  }

  get #sceneKey(): string {
    return `scene_changed:${this.#cameraId}`;
  }
}

/** Why nothing can be seen in a picture, in words; null where something can. @param share of the usual sharpness */
function obscuredWhy(sample: SceneSample, usual: Usual | undefined, share: number): string | null {
  if (sample.deviation < UNIFORM) return 'the picture is all of one brightness';
  return isBlurred(sample, usual, share) ? 'the picture is blurred' : null;
}

function isBlurred(sample: SceneSample, usual: Usual | undefined, share: number): boolean {
  if (usual === undefined) return false;
  return sharpnessOf(sample) < usual.sharpness + Math.log(share);
}

/** For the contrast that there is: fine edges are weak in a picture of weak contrast, and that is not blurred. */
function sharpnessOf({ sharpness, deviation }: SceneSample): number {
  return Math.log((sharpness + 1e-3) / (deviation + 1));
}

function learned(usual: Usual | undefined, sample: SceneSample): Usual {
  if (usual === undefined) {
    const { structure } = sample;
    return { samples: 1, structure, sharpness: sharpnessOf(sample), likeness: 1 };
  }
  const likeness = similarity(sample.structure, usual.structure);
  const samples = usual.samples + 1;
  const weight = 1 / Math.min(samples, REMEMBERED);
  return {
    samples,
    structure: usual.structure.map(
      (value, index) => value + weight * ((sample.structure[index] ?? 0) - value),
    ),
    sharpness: usual.sharpness + weight * (sharpnessOf(sample) - usual.sharpness),
    likeness: usual.likeness + weight * (likeness - usual.likeness),
  };
}
