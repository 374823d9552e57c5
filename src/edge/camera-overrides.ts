import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { cameraId } from '../config/camera-schema.ts';
import { qualitySchema } from '../protocol/stream-control.ts';
import { writeFileAtomically } from '../system/atomic-file.ts';
import type { Logger } from '../system/logger.ts';
import { registerUrlSecrets } from '../system/redact.ts';

const overrideSchema = z.strictObject({
  /** Of a configured camera: it is not to be watched. */
  stopped: z.literal(true).optional(),
  /** Of a camera that is in no configuration. With its password, so the file is for its owner only. */
  url: z.string().optional(),
  quality: qualitySchema.optional(),
});

const fileSchema = z.strictObject({
  version: z.literal(1),
  cameras: z.record(cameraId, overrideSchema),
});

/** How a camera differs from the configuration, because somebody upstream asked for it. */
export type CameraOverride = z.infer<typeof overrideSchema>;

const OWNER_ONLY = 0o600;

/** The file `cameras.json` in the data folder: what was asked for upstream outlives the daemon. */
export class CameraOverrides {
  readonly #path: string;
  readonly #log: Logger;
  readonly #cameras: Map<string, CameraOverride>;
  /** One write after the other, so that the newest is the last. */
  #written: Promise<void> = Promise.resolve();

  /** Reads the file. One that cannot be understood is put aside, and the configuration alone counts. */
  static async open(dataDir: string, log: Logger): Promise<CameraOverrides> {
    const path = join(dataDir, 'cameras.json');
    try {
      return new CameraOverrides(path, log, readOverrides(path));
    } catch (error) {
      const aside = `${path}.damaged-${randomUUID().slice(0, 8)}`;
      log.error({ err: error, aside }, 'changes of cameras cannot be read and are put aside');
      await rename(path, aside).catch((cause: unknown) =>
        log.error({ err: cause, aside }, 'changes of cameras could not be put aside'),
      );
      return new CameraOverrides(path, log, new Map());
    }
  }

  private constructor(path: string, log: Logger, cameras: Map<string, CameraOverride>) {
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

function readOverrides(path: string): Map<string, CameraOverride> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  // Complaints about the text are kept back: they quote it, and it may hold a password.
  const found = fileSchema.safeParse(parsed(text));
  if (!found.success) throw new Error(`${path} does not have the form of this file`);
  for (const { url } of Object.values(found.data.cameras)) if (url) registerUrlSecrets(url);
  return new Map(Object.entries(found.data.cameras));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
