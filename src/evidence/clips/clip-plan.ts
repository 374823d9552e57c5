/** A clip that is to be cut; times are monotonic, in milliseconds. */
export interface PlannedClip {
  /** Alerts that it shows, the first of them first. */
  readonly alertIds: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ClipLengths {
  /** Before and after an alert, milliseconds. */
  readonly preMs: number;
  readonly postMs: number;
  /** Alerts that follow each other make one clip up to this length. */
  readonly maxMs: number;
}

/** Which clips one camera's alerts make. Pure: time comes in. */
export class ClipPlan {
  readonly #lengths: ClipLengths;
  #planned: PlannedClip[] = [];

  constructor(lengths: ClipLengths) {
    this.#lengths = lengths;
  }

  /** An alert was raised. One that falls into the clip of another is in that, which becomes longer. */
  alert(alertId: string, monoMs: number): void {
    const { preMs, postMs, maxMs } = this.#lengths;
    const [fromMs, toMs] = [monoMs - preMs, monoMs + postMs];
    const last = this.#planned.at(-1);
    if (last !== undefined && fromMs <= last.toMs && toMs - last.fromMs <= maxMs) {
      const alertIds = [...last.alertIds, alertId];
      const longer = { alertIds, fromMs: last.fromMs, toMs: Math.max(toMs, last.toMs) };
      this.#planned = [...this.#planned.slice(0, -1), longer];
    } else {
      this.#planned.push({ alertIds: [alertId], fromMs, toMs });
    }
  }

  /** From when on the packets are needed; null for none. */
  get neededFromMs(): number | null {
    return this.#planned[0]?.fromMs ?? null;
  }

  /** Takes out the clips that can be cut. @param isReady whether the packets up to a time are all there */
  take(isReady: (clip: PlannedClip) => boolean): PlannedClip[] {
    const ready = this.#planned.filter(isReady);
    this.#planned = this.#planned.filter((clip) => !ready.includes(clip));
    return ready;
  }
}
