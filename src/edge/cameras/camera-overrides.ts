import { randomUUID } from 'node:crypto';
import { copyFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { cameraId } from '../../config/camera-schema.ts';
import { qualitySchema } from '../../protocol/stream-control.ts';
import { writeFileAtomically } from '../../system/atomic-file.ts';
import type { Logger } from '../../system/logger.ts';
import { registerUrlSecrets } from '../../system/redact.ts';

const overrideSchema = z.strictObject({
  /** Of a configured camera: it is not to be watched. */
  stopped: z.literal(true).optional(),
  /** Of a camera that is in no configuration. With its password, so the file is for its owner only. */
  url: z.string().optional(),
  quality: qualitySchema.optional(),
});

const fileSchema = z.strictObject({
  version: z.literal(1),
  cameras: z.record(z.string(), z.unknown()),
});

/** How a camera differs from the configuration, because somebody upstream asked for it. */
export type CameraOverride = z.infer<typeof overrideSchema>;

const NAME = 'cameras.json';
const OWNER_ONLY = 0o600;

/** The file `cameras.json` in the data folder: what was asked for upstream outlives the daemon. */
export class CameraOverrides {
  /** Null where nothing can be kept. */
  readonly #path: string | null;
  readonly #log: Logger;
  readonly #cameras: Map<string, CameraOverride>;
  /** One write after the other, so that the newest is the last. */
  #written: Promise<void> = Promise.resolve();

  /**
   * Reads the file. What cannot be understood of it is left out, and the file is put aside as it was. Where the disk
   * does not give it, the configuration alone counts, and the file is left alone: it may be there again next time.
   */
  static async open(dataDir: string, log: Logger): Promise<CameraOverrides> {
    const path = join(dataDir, NAME);
    await removeUnfinished(dataDir, log);
    let text: string | null;
    try {
      text = await readIfThere(path);
    } catch (error) {
      log.error(
        { err: error, path },
        'changes of cameras cannot be read now; new ones will not be kept',
      );
      return new CameraOverrides(null, log, new Map());
    }
    if (text === null) return new CameraOverrides(path, log, new Map());
    const { cameras, refused } = parseOverrides(text);
    if (refused !== null) {
      const aside = `${path}.damaged-${randomUUID().slice(0, 8)}`;
      log.error({ refused, aside }, 'changes of cameras are not understood; the file is put aside');
      await copyFile(path, aside).catch((cause: unknown) =>
        log.error({ err: cause, aside }, 'changes of cameras could not be put aside'),
      );
    }
    return new CameraOverrides(path, log, cameras);
  }

  private constructor(path: string | null, log: Logger, cameras: Map<string, CameraOverride>) {
    this.#path = path;
    this.#log = log;
    this.#cameras = cameras;
  }

  get(id: string): CameraOverride | undefined {
    return this.#cameras.get(id);
  }

  entries(): [string, CameraOverride][] {
    return [...this.#cameras];
  }

  /** Resolves when it is on disk. A disk that takes nothing is told; the change holds until the next start then. */
  async set(id: string, override: CameraOverride | null): Promise<void> {
    if (override === null || Object.values(override).every((value) => value === undefined)) {
      this.#cameras.delete(id);
    } else {
      this.#cameras.set(id, override);
    }
    this.#written = this.#written.then(() => this.#write());
    await this.#written;
  }

  async #write(): Promise<void> {
    if (this.#path === null) {
      this.#log.error({}, 'a change of cameras will not outlive this daemon');
      return;
    }
    const text = JSON.stringify(
      { version: 1, cameras: Object.fromEntries(this.#cameras) },
      null,
      2,
    );
    try {
      await writeFileAtomically(this.#path, `${text}\n`, OWNER_ONLY);
    } catch (error) {
      this.#log.error({ err: error }, 'a change of cameras will not outlive this daemon');
    }
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** What a power cut left of a write. It may hold passwords. */
async function removeUnfinished(dataDir: string, log: Logger): Promise<void> {
  try {
    for (const name of await readdir(dataDir))
      if (name.startsWith(`${NAME}.`) && name.endsWith('.tmp'))
        await rm(join(dataDir, name), { force: true });
  } catch (error) {
    log.warn({ err: error }, 'an unfinished file with changes of cameras could not be removed');
  }
}

/** @returns `refused`: the cameras whose entry is not understood, or `all`; null where there is none. Nothing is quoted: it may be a password. */
function parseOverrides(text: string): {
  readonly cameras: Map<string, CameraOverride>;
  readonly refused: readonly string[] | 'all' | null;
} {
  const cameras = new Map<string, CameraOverride>();
  const file = fileSchema.safeParse(parsed(text));
  if (!file.success) return { cameras, refused: 'all' };
  const refused: string[] = [];
  for (const [id, entry] of Object.entries(file.data.cameras)) {
    const override = overrideSchema.safeParse(entry);
    if (override.success && cameraId.safeParse(id).success) cameras.set(id, override.data);
    else refused.push(id);
  }
  for (const { url } of cameras.values()) if (url) registerUrlSecrets(url);
  return { cameras, refused: refused.length === 0 ? null : refused };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
