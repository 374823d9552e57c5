import type { StoreCall } from './requests.ts';

interface DeferredCall {
  readonly call: StoreCall;
  /** Last number of its alerts in memory, in the epoch that it was taken in. */
  readonly through: number;
}

/** Calls whose alerts are in memory only: they count as taken once the disk or the hub has them. */
export class DeferredCalls {
  #waiting: DeferredCall[] = [];

  add(call: StoreCall, through: number): void {
    this.#waiting.push({ call, through });
  }

  /** Takes out those that are on disk by now, or acknowledged as far as `ackedSeq`. */
  settle(now: { readonly isOnDisk: boolean; readonly ackedSeq: number }): StoreCall[] {
    const isSettled = ({ through }: DeferredCall): boolean =>
      now.isOnDisk || through <= now.ackedSeq;
    const settled = this.#waiting.filter(isSettled).map(({ call }) => call);
    this.#waiting = this.#waiting.filter((deferred) => !isSettled(deferred));
    return settled;
  }
}
