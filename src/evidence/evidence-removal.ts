import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../system/logger.ts';
import { type EvidenceClass, EvidenceFiles } from './evidence-files.ts';

/** What shows a person. */
export interface PersonEvidence {
  readonly eventIds: readonly string[];
  /** Alerts about these events, and alerts that tell of the person. */
  readonly alertIds: readonly string[];
}

/** How many files there were. */
export interface RemovedEvidence {
  readonly faces: number;
  /** Snapshots of events, thumbnails and clips of alerts. */
  readonly others: number;
}

/** Folder of each class in the data folder. */
export const EVIDENCE_FOLDERS: Readonly<Record<EvidenceClass, string>> = {
  snapshot: 'snapshots',
  face: 'faces',
  thumbnail: 'thumbnails',
  clip: 'clips',
};

/** Where clips are cut, within the folder of data. */
export function clipWorkDir(dataDir: string): string {
  return join(dataDir, EVIDENCE_FOLDERS.clip, '.work');
}

/**
 * Deletes everything that shows a person: snapshots and faces of their events, thumbnails and clips of alerts about them.
 * Nothing of these events and alerts is kept from then on. A clip of several alerts has a name for each: the names that
 * belong to alerts about others stay.
 * @throws Error where something could not be deleted; to be called again then
 */
export async function removeEvidence(
  files: Readonly<Record<EvidenceClass, EvidenceFiles>>,
  { eventIds, alertIds }: PersonEvidence,
): Promise<RemovedEvidence> {
  // The bars go up before anything is waited for.
  const [faces, ...others] = await Promise.all([
    files.face.remove(eventIds),
    files.snapshot.remove(eventIds),
    files.thumbnail.remove(alertIds),
    files.clip.remove(alertIds),
  ]);
  return { faces, others: others.reduce((sum, count) => sum + count, 0) };
}

/** Files of a data folder of which no daemon uses any: what it left unfinished is deleted too. */
export async function openEvidenceFolder(
  dataDir: string,
  log: Logger,
): Promise<Readonly<Record<EvidenceClass, EvidenceFiles>>> {
  await rm(clipWorkDir(dataDir), { recursive: true, force: true });
  const files = (evidence: EvidenceClass) =>
    new EvidenceFiles({
      ...{ evidence, dir: join(dataDir, EVIDENCE_FOLDERS[evidence]), log },
      budgetBytes: Number.POSITIVE_INFINITY,
      onEvicted: () => undefined,
    });
  return {
    snapshot: files('snapshot'),
    face: files('face'),
    thumbnail: files('thumbnail'),
    clip: files('clip'),
  };
}
