import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const CHUNK = Buffer.alloc(64 * 1024, 1);

/** A file system of its own at a folder, so small that others can fill it. Needs root. */
export class SmallDisk {
  readonly #others: string;

  /** @param size as `mount` takes it: `64m` */
  constructor(at: string, size: string) {
    this.#others = join(at, 'of-others');
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', at]);
    onTestFinished(() => {
      execFileSync('umount', ['--lazy', at]);
    });
  }

  /** Takes all that is left. */
  fill(): void {
    try {
      for (;;) writeFileSync(this.#others, CHUNK, { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  free(): void {
    rmSync(this.#others, { force: true });
  }
}
