import type { BoundingBox } from '../../protocol/detection.ts';

/** A person in view. */
export interface PersonInView {
  readonly trackId: number;
  readonly box: BoundingBox;
}

/** Least time between two looks at the same person. */
const UNDECIDED_MS = 250;
const UNSEEN_MS = 1500;
const DECIDED_MS = 5000;
/** Looks in a row that showed no face that could be compared, after which there is less hurry. */
const PATIENCE = 6;
/** People in one request, and looks of one camera in a second. */
const MOST_AT_ONCE = 4;
const MOST_PER_SECOND = 6;
/** Widest face for a box of a width: of a standing person, and of one in close-up. */
const STANDING = 0.5;
const CLOSE = 0.9;
const STANDING_ASPECT = 2;

interface Attempted {
  nextMs: number;
  inVain: number;
}

/** Decides whose face is looked at when: reading faces must not take the time that finding people needs. */
export class FaceAttempts {
  readonly #minWidthPx: number;
  readonly #tracks = new Map<number, Attempted>();
  #budget = MOST_PER_SECOND;
  #filledMs = Number.NEGATIVE_INFINITY;

  /** @param minWidthPx of a face that can be compared */
  constructor(minWidthPx: number) {
    this.#minWidthPx = minWidthPx;
  }

  /**
   * Who is looked at in this frame; they count as looked at. Those who have waited longest come first.
   * @param picture size of the pictures that are kept, pixels
   */
  choose(
    people: readonly PersonInView[],
    picture: { readonly width: number; readonly height: number },
    monoMs: number,
  ): PersonInView[] {
    this.#fill(monoMs);
    const due = people
      .filter((person) => this.#canShowFace(person, picture))
      .map((person) => ({ person, nextMs: this.#track(person.trackId).nextMs }))
      .filter(({ nextMs }) => nextMs <= monoMs)
      .sort((a, b) => a.nextMs - b.nextMs)
      .slice(0, Math.min(MOST_AT_ONCE, Math.floor(this.#budget)));
    this.#budget -= due.length;
    for (const { person } of due) this.#track(person.trackId).nextMs = monoMs + UNDECIDED_MS;
    return due.map(({ person }) => person);
  }

  /** What came of a look. */
  looked(
    trackId: number,
    outcome: 'compared' | 'decided' | 'in_vain' | 'picture_gone',
    monoMs: number,
  ): void {
    const track = this.#tracks.get(trackId);
    if (track === undefined) return;
    if (outcome === 'picture_gone') {
      track.nextMs = monoMs;
      return;
    }
    track.inVain = outcome === 'in_vain' ? track.inVain + 1 : 0;
    const isHopeless = track.inVain >= PATIENCE;
    const undecidedMs = isHopeless ? UNSEEN_MS : UNDECIDED_MS;
    track.nextMs = monoMs + (outcome === 'decided' ? DECIDED_MS : undecidedMs);
  }

  forget(trackId: number): void {
    this.#tracks.delete(trackId);
  }

  #canShowFace({ box }: PersonInView, picture: { width: number; height: number }): boolean {
    const [width, height] = [box.width * picture.width, box.height * picture.height];
    const share = height > STANDING_ASPECT * width ? STANDING : CLOSE;
    return width * share >= this.#minWidthPx;
  }

  #fill(monoMs: number): void {
    const sinceMs = monoMs - this.#filledMs;
    // Also when time counts anew: a file that plays again.
    const more = sinceMs >= 0 ? (sinceMs * MOST_PER_SECOND) / 1000 : MOST_PER_SECOND;
    this.#budget = Math.min(MOST_PER_SECOND, this.#budget + more);
    this.#filledMs = monoMs;
  }

  #track(trackId: number): Attempted {
    let track = this.#tracks.get(trackId);
    if (track === undefined) {
      track = { nextMs: Number.NEGATIVE_INFINITY, inVain: 0 };
      this.#tracks.set(trackId, track);
    }
    return track;
  }
}
