import { randomUUID } from 'node:crypto';
import type { FaceReader, RgbPicture } from '../faces/contract.ts';
import { ApexError } from '../system/errors.ts';
import { chooseFace, type FaceWarning, isSamePicture, warningsFor } from './enrolment.ts';
import type { Gallery } from './gallery.ts';
import type { SampleKind } from './person.ts';
import { photoOf } from './picture.ts';

export interface EnrolOptions {
  readonly kind: SampleKind;
  /** Takes the largest where there are several. */
  readonly largest: boolean;
  readonly keepPhoto: boolean;
}

export interface FaceToEnrol extends EnrolOptions {
  readonly picture: RgbPicture;
  /** What the gallery says where the face is from. */
  readonly origin: string;
  /** Unix milliseconds. */
  readonly nowMs: number;
}

export interface EnrolledFace {
  /** Null where the same picture was enrolled before. */
  readonly sampleId: string | null;
  /** 0..1 */
  readonly quality: number;
  readonly warnings: readonly FaceWarning[];
}

/**
 * Adds the face of a picture to a person.
 * @throws ApexError PEOPLE_UNKNOWN, PEOPLE_FACE_REFUSED, and PEOPLE_KEY_ codes
 */
export async function enrolFace(
  personId: string,
  { picture, origin, nowMs, kind, largest, keepPhoto }: FaceToEnrol,
  { gallery, reader }: { readonly gallery: Gallery; readonly reader: FaceReader },
): Promise<EnrolledFace> {
  const { face, refusal } = chooseFace(await reader.read(picture), largest);
  if (face === null) throw new ApexError('PEOPLE_FACE_REFUSED', refusal);
  const { embeddingModel } = reader;
  const { embedding, quality, box } = face;
  const own = gallery
    .samples(personId)
    .filter((sample) => sample.kind === kind && sample.embeddingModel === embeddingModel)
    .map((sample) => sample.embedding);
  if (isSamePicture(embedding, own)) return { sampleId: null, quality, warnings: [] };
  const known = kind === 'positive' ? gallery.known(embeddingModel, nowMs) : [];
  const warnings = kind === 'positive' ? warningsFor(embedding, personId, known) : [];
  const photo = keepPhoto ? await photoOf(picture, box) : null;
  const sampleId = randomUUID();
  gallery.addSample(personId, {
    ...{ sampleId, kind, embeddingModel, embedding, quality, origin, photo, createdMs: nowMs },
  });
  return { sampleId, quality, warnings };
}
