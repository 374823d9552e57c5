import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const EVERY_MS = 100;

/** Looks every 100 ms at how much the edge's files take, the ones put aside included. */
export class DiskSampler {
  readonly samples: number[] = [];
  readonly #dir: string;
  readonly #timer: NodeJS.Timeout;

  constructor(dir: string) {
    this.#dir = dir;
    this.#timer = setInterval(() => this.samples.push(bytesIn(dir)), EVERY_MS);
  }

  stop(): readonly number[] {
    clearInterval(this.#timer);
    this.samples.push(bytesIn(this.#dir));
    return this.samples;
  }
}

/** Bytes that the files of a folder take on the disk. */
function bytesIn(dir: string): number {
  let sum = 0;
  for (const name of namesIn(dir)) {
    const status = statSync(join(dir, name), { throwIfNoEntry: false });
    if (status?.isFile()) sum += status.blocks * 512;
  }
  return sum;
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    // Not made yet.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
