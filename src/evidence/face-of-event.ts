import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { dayOfEvent } from '../events/event-id.ts';
import { EVIDENCE_FOLDERS } from './evidence-removal.ts';

/** Where the face of an event is; null where none is kept, or for what is no event. */
export async function faceOfEvent(dataDir: string, eventId: string): Promise<string | null> {
  const day = dayOfEvent(eventId);
  if (day === null) return null;
  const faces = join(dataDir, EVIDENCE_FOLDERS.face);
  for (const camera of await entriesOf(faces)) {
    const path = join(faces, camera, day, `${eventId}.jpg`);
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
