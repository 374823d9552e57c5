import { appendFile, mkdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type AuditEntry, auditEntry } from '../../protocol/local-api/access.ts';
import type { Logger } from '../../system/logger.ts';

/** The log and the one before it take twice this much. */
const MOST_BYTES = 2_000_000;

/** Who changed what: `audit.jsonl` in the data folder, and `audit.jsonl.1` before it. */
export class AuditLog {
  readonly #path: string;
  readonly #log: Logger;
  #writes: Promise<void> = Promise.resolve();

  constructor({ dataDir, log }: { readonly dataDir: string; readonly log: Logger }) {
    this.#path = join(dataDir, 'audit.jsonl');
    this.#log = log;
  }

  /** Also to the daemon’s log, which a full disk of the data folder does not silence. */
  add(entry: AuditEntry): void {
    this.#log.info({ ...entry }, 'changed through the API');
    this.#writes = this.#writes
      .then(() => this.#write(entry))
      .catch((error: unknown) => this.#log.error({ err: error }, 'audit log not written'));
  }

  /** The newest first. */
  async newest(most: number): Promise<AuditEntry[]> {
    await this.#writes;
    const files = await Promise.all([linesOf(this.#path), linesOf(`${this.#path}.1`)]);
    return files
      .flatMap((lines) => lines.reverse())
      .slice(0, most)
      .flatMap((line) => {
        const read = auditEntry.safeParse(jsonOf(line));
        return read.success ? [read.data] : [];
      });
  }

  /** Resolves when everything told so far is written. */
  async settled(): Promise<void> {
    await this.#writes;
  }

  async #write(entry: AuditEntry): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    await this.#turnOver();
    await appendFile(this.#path, `${JSON.stringify(entry)}\n`, { mode: 0o640, flush: true });
  }

  async #turnOver(): Promise<void> {
    try {
      if ((await stat(this.#path)).size >= MOST_BYTES) await rename(this.#path, `${this.#path}.1`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

async function linesOf(path: string): Promise<string[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** A power cut may leave half a line. */
function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}
