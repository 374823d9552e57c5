import { readFileSync } from 'node:fs';

/** Bytes of memory that the process holds now (VmRSS). */
export function residentBytes({ pid }: { readonly pid: number | null }): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  if (!(kib > 0)) throw new Error(`no resident size of process ${pid}`);
  return kib * 1024;
}
