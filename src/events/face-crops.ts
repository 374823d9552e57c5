import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { dayOfEvent } from './event-id.ts';

/** Pictures of the faces of events: `<dir>/<camera>/<yyyy-mm-dd>/<event_id>.jpg`. */
export class FaceCrops {
  readonly #dir: string;

  /** @param dataDir folder in which they are, as `faces` */
  constructor(dataDir: string) {
    this.#dir = join(dataDir, 'faces');
  }

  /** Where the face of an event is; null where none is kept, or for what is no event. */
  async find(eventId: string): Promise<string | null> {
    const day = dayOfEvent(eventId);
    if (day === null) return null;
    for (const camera of await entriesOf(this.#dir)) {
      const path = join(this.#dir, camera, day, `${eventId}.jpg`);
      if (await isThere(path)) return path;
    }
    return null;
  }

  /** Deletes the faces of events. How many there were. */
  async remove(eventIds: readonly string[]): Promise<number> {
    let removed = 0;
    for (const eventId of eventIds) {
      const path = await this.find(eventId);
      if (path === null) continue;
      await rm(path, { force: true });
      removed++;
    }
    return removed;
  }
}

async function entriesOf(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}
