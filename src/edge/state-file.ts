import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { writeFileAtomically } from '../system/atomic-file.ts';
import type { Logger } from '../system/logger.ts';

/**
 * A small file in which something outlives the daemon. What cannot be read or understood of it is told and left out:
 * it is a memory, and nothing that the daemon could not do without.
 */
export class StateFile<State> {
  readonly #path: string;
  readonly #log: Logger;
  #next: string | null = null;
  #written: Promise<void> | null = null;
  #isFailing = false;

  /** @returns beside the file what it holds; null where it holds nothing that is understood */
  static async open<State>(
    path: string,
    schema: z.ZodType<State>,
    log: Logger,
  ): Promise<{ readonly file: StateFile<State>; readonly state: State | null }> {
    const file = new StateFile<State>(path, log);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        log.error({ err: error, path }, 'what an earlier run knew cannot be read');
      return { file, state: null };
    }
    const parsed = schema.safeParse(jsonOf(text));
    if (!parsed.success) log.error({ path }, 'what an earlier run knew is not understood');
    return { file, state: parsed.success ? parsed.data : null };
  }

  private constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
  }

  /** Writes it soon; of several states that wait the newest. A disk that takes nothing is told once. */
  save(state: State): void {
    this.#next = `${JSON.stringify(state)}\n`;
    this.#written ??= this.#writeAll();
  }

  /** Resolves when nothing waits to be written. */
  async settled(): Promise<void> {
    await this.#written;
  }

  async #writeAll(): Promise<void> {
    for (let text = this.#next; text !== null; text = this.#next) {
      this.#next = null;
      try {
        await writeFileAtomically(this.#path, text);
        this.#isFailing = false;
      } catch (error) {
        if (!this.#isFailing)
          this.#log.error(
            { err: error, path: this.#path },
            'what is known will not outlive this run',
          );
        this.#isFailing = true;
      }
    }
    this.#written = null;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
