import type { CameraFault } from '../capture/contract.ts';
import { ApexError } from '../system/errors.ts';
import type { FacesReport, ProviderReport } from './contract.ts';

/** What the vision process has told of itself. What runs its models stays known when it ends. Pure. */
export class ProcessFacts {
  #provider: ProviderReport | null = null;
  #labels: readonly string[] = [];
  #faces: FacesReport | null = null;
  #restarts = 0;
  #rssMb: number | null = null;
  #fault: CameraFault | null = null;

  /** What runs the detector; null until it is known. */
  get provider(): ProviderReport | null {
    return this.#provider;
  }

  /** Classes that the detector reports; empty until it is known. */
  get labels(): readonly string[] {
    return this.#labels;
  }

  /** What reads faces; null until it is known, or where nobody asks for them. */
  get faces(): FacesReport | null {
    return this.#faces;
  }

  /** Times that the process ended by itself, and was started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Megabytes; null while none runs. */
  get rssMb(): number | null {
    return this.#rssMb;
  }

  /** Why the process ended last; null while it runs. */
  get fault(): CameraFault | null {
    return this.#fault;
  }

  detectorRuns(provider: ProviderReport, labels: readonly string[]): void {
    this.#provider = provider;
    this.#labels = labels;
    this.#fault = null;
  }

  facesReady(report: FacesReport): void {
    this.#faces = report;
  }

  measured(rssMb: number): void {
    this.#rssMb = rssMb;
  }

  /** It has said why it will end. */
  gaveUp(fault: CameraFault): void {
    this.#fault = fault;
  }

  /** @param why in words where it ended by itself; null where it was asked to */
  ended(why: string | null): void {
    this.#rssMb = null;
    if (why === null) return;
    // Its own last words say more than how it ended.
    this.#fault ??= new ApexError(
      'VISION_PROCESS_DIED',
      `the vision process ended: ${why}`,
    ).toJSON();
    this.#restarts++;
  }
}
