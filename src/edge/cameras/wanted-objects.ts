import { isMasked, type ObjectMask } from '../../tracking/zones/object-mask.ts';
import type { Detection } from '../../vision/contract.ts';

/** Which detections of a camera are objects: those of its labels, where no mask is. */
export class WantedObjects {
  readonly #labels: readonly string[] | null;
  readonly #masks: readonly ObjectMask[];

  /** @param labels null for all */
  constructor(labels: readonly string[] | null, masks: readonly ObjectMask[]) {
    this.#labels = labels;
    this.#masks = masks;
  }

  among(detections: readonly Detection[]): Detection[] {
    return detections.filter(
      (each) => (this.#labels?.includes(each.label) ?? true) && !isMasked(this.#masks, each),
    );
  }

  /** Labels asked for that the model does not have. */
  unknownLabels(known: readonly string[]): string[] {
    return (this.#labels ?? []).filter((label) => !known.includes(label));
  }
}
