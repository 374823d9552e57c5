import { readdirSync, readFileSync } from 'node:fs';

/** What a process holds at a moment. */
export interface Footprint {
  /** Resident memory, bytes (VmRSS). */
  readonly bytes: number;
  /** Open files and sockets. */
  readonly handles: number;
}

export function footprintOf({ pid }: { readonly pid: number | null }): Footprint {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  if (!(kib > 0)) throw new Error(`no resident size of process ${pid}`);
  return { bytes: kib * 1024, handles: readdirSync(`/proc/${pid}/fd`).length };
}

/** The middle one; of none, NaN. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
