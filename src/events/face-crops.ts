import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { dayOfEvent } from './event-id.ts';

/**
 * Pictures that show the people of events: `<folder>/<camera>/<yyyy-mm-dd>/<event_id>.jpg`, their faces in `faces` and
 * the best picture of the event in `snapshots`.
 */
export class FaceCrops {
  readonly #faces: string;
  readonly #snapshots: string;

  /** @param dataDir folder in which the two folders are */
  constructor(dataDir: string) {
    this.#faces = join(dataDir, 'faces');
    this.#snapshots = join(dataDir, 'snapshots');
  }

  /** Where the face of an event is; null where none is kept, or for what is no event. */
  async find(eventId: string): Promise<string | null> {
    return await pictureIn(this.#faces, eventId);
  }

  /** Deletes the faces and the snapshots of events. How many faces there were. */
  async remove(eventIds: readonly string[]): Promise<number> {
    let removed = 0;
    for (const eventId of eventIds) {
      const snapshot = await pictureIn(this.#snapshots, eventId);
      if (snapshot !== null) await rm(snapshot, { force: true });
      const path = await this.find(eventId);
      if (path === null) continue;
      await rm(path, { force: true });
      removed++;
    }
    return removed;
  }
}

async function pictureIn(dir: string, eventId: string): Promise<string | null> {
  const day = dayOfEvent(eventId);
  if (day === null) return null;
  for (const camera of await entriesOf(dir)) {
    const path = join(dir, camera, day, `${eventId}.jpg`);
    if (await isThere(path)) return path;
  }
  return null;
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
