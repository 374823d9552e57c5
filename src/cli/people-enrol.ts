import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { faceOfEvent } from '../evidence/face-of-event.ts';
import type { FaceReader } from '../faces/contract.ts';
import { type EnrolOptions, enrolFace } from '../people/enrol-face.ts';
import type { FaceWarning } from '../people/enrolment.ts';
import type { Gallery } from '../people/gallery.ts';
import { readPicture } from '../people/picture.ts';
import { systemClock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';

/** A picture to take a face from. */
interface Source {
  readonly path: string;
  /** What the gallery says where the face is from. */
  readonly origin: string;
}

/** Adds the faces of pictures to a person, and tells of each what became of it. False where one was refused. */
export async function enrol(
  personId: string,
  sources: readonly Source[],
  { gallery, reader, ...options }: EnrolOptions & { gallery: Gallery; reader: FaceReader },
): Promise<boolean> {
  let isAll = true;
  for (const source of sources) {
    try {
      const said = await enrolOne(personId, source, { gallery, reader, ...options });
      console.log(`${source.path}: ${said}`);
    } catch (error) {
      if (!(error instanceof ApexError) || !error.code.startsWith('PEOPLE_')) throw error;
      if (error.code.startsWith('PEOPLE_KEY_')) throw error;
      isAll = false;
      console.error(`${source.path}: ${error.message} [${error.code}]`);
    }
  }
  return isAll;
}

async function enrolOne(
  personId: string,
  { path, origin }: Source,
  { gallery, reader, ...options }: EnrolOptions & { gallery: Gallery; reader: FaceReader },
): Promise<string> {
  const picture = await readPicture(await contentOf(path), path);
  const face = { ...options, picture, origin, nowMs: systemClock.wallMs() };
  const { sampleId, quality, warnings } = await enrolFace(personId, face, { gallery, reader });
  if (sampleId === null) return 'this picture was enrolled before';
  for (const warning of warnings) console.error(`${path}: warning: ${told(warning)}`);
  const what = options.kind === 'positive' ? 'enrolled' : 'noted as somebody else';
  return `${what}, quality ${quality.toFixed(2)}`;
}

async function contentOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ApexError('PEOPLE_PICTURE_UNREADABLE', `${path}: ${reason}`, { cause });
  }
}

function told({ kind, cosine, other }: FaceWarning): string {
  const likeness = cosine.toFixed(2);
  return kind === 'resembles_other' && other !== null
    ? `the face resembles ${other.name} (${other.personId}) more: ${likeness}`
    : `the face hardly resembles the earlier ones of this person: ${likeness}`;
}

export function fileSources(paths: readonly string[]): Source[] {
  return paths.map((path) => ({ path, origin: basename(path) }));
}

/** @throws ApexError PEOPLE_EVENT_WITHOUT_FACE */
export async function eventSource(dataDir: string, eventId: string): Promise<Source> {
  const path = await faceOfEvent(dataDir, eventId);
  if (path === null)
    throw new ApexError('PEOPLE_EVENT_WITHOUT_FACE', `no face is kept of event ${eventId}`);
  return { path, origin: eventId };
}
