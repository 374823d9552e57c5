import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../system/atomic-file.ts';
import { ApexError } from '../../system/errors.ts';

/** An earlier text of the configuration file. */
export interface ConfigVersion {
  readonly id: string;
  /** When another one took its place, Unix milliseconds. */
  readonly savedMs: number;
  /** Who put that other one there. */
  readonly by: string;
  /** Keys that it changed. */
  readonly changed: readonly string[];
  readonly bytes: number;
}

const MOST = 50;
const MOST_BYTES = 5_000_000;
const ID = /^\d{13}-[0-9a-f]{12}$/;

/** A line of our own in front of the kept text: a comment, so that the file is still a configuration. */
const HEAD = '# apex-edge: ';

/** Earlier configurations: files that hold secrets as the configuration does, so nobody else may read them. */
export class ConfigVersions {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Keeps a text that another one is about to take the place of. */
  async keep(
    text: string,
    { by, changed, nowMs }: { by: string; changed: readonly string[]; nowMs: number },
  ): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const digest = createHash('sha256').update(`${nowMs}${text}`).digest('hex').slice(0, 12);
    const name = `${String(Math.round(nowMs)).padStart(13, '0')}-${digest}.yaml`;
    const head = `${HEAD}${JSON.stringify({ by, changed })}\n`;
    await writeFileAtomically(join(this.#dir, name), head + text, 0o600);
    await this.#forgetOldest();
  }

  /** The newest first. */
  async list(): Promise<ConfigVersion[]> {
    const versions = await Promise.all(
      (await this.#ids()).map(async (id): Promise<ConfigVersion> => {
        const content = await readFile(this.#pathOf(id), 'utf8');
        const { by, changed } = headOf(content);
        const bytes = Buffer.byteLength(withoutHead(content));
        return { id, savedMs: Number(id.slice(0, 13)), by, changed, bytes };
      }),
    );
    return versions.reverse();
  }

  /** The text as it was. @throws ApexError CONFIG_VERSION_UNKNOWN */
  async read(id: string): Promise<string> {
    if (!(await this.#ids()).includes(id))
      throw new ApexError('CONFIG_VERSION_UNKNOWN', `there is no earlier configuration ${id}`);
    return withoutHead(await readFile(this.#pathOf(id), 'utf8'));
  }

  /** The oldest first. */
  async #ids(): Promise<string[]> {
    try {
      const names = await readdir(this.#dir);
      const ids = names.filter((name) => name.endsWith('.yaml')).map((name) => name.slice(0, -5));
      return ids.filter((id) => ID.test(id)).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  #pathOf(id: string): string {
    return join(this.#dir, `${id}.yaml`);
  }

  async #forgetOldest(): Promise<void> {
    const ids = (await this.#ids()).reverse();
    let bytes = 0;
    for (const [index, id] of ids.entries()) {
      bytes += (await stat(this.#pathOf(id))).size;
      // The newest stays, however large.
      if (index > 0 && (index >= MOST || bytes > MOST_BYTES)) await rm(this.#pathOf(id));
    }
  }
}

function withoutHead(content: string): string {
  return content.startsWith(HEAD) ? content.slice(content.indexOf('\n') + 1) : content;
}

function headOf(content: string): { by: string; changed: readonly string[] } {
  const [line = ''] = content.split('\n', 1);
  try {
    const head = JSON.parse(line.slice(HEAD.length)) as { by?: unknown; changed?: unknown };
    const changed = Array.isArray(head.changed) ? head.changed.map(String) : [];
    return { by: String(head.by), changed };
  } catch {
    // Somebody has changed it by hand.
    return { by: 'unknown', changed: [] };
  }
}
