import type { ErrorCode } from '../../system/errors.ts';
import type { EnrolledFace, EnrolOptions } from '../enrol-face.ts';
import type { KeyPlace } from '../key-file.ts';
import type { Person, Sample } from '../person.ts';
import type { PersonFacts } from '../person-input.ts';

/** What the process of the gallery is started with. */
export interface GalleryServiceSettings {
  /** Of the gallery. */
  readonly path: string;
  readonly key: KeyPlace;
  readonly models: {
    readonly detector: string;
    readonly embedding: string;
    readonly landmarks: string | null;
    /** Narrower faces are refused, pixels. */
    readonly minWidthPx: number;
  } | null;
}

/** A person with their faces, without what nobody is to see. */
export interface PersonRecord extends Person {
  readonly samples: readonly SampleRecord[];
}

export type SampleRecord = Omit<Sample, 'embedding' | 'photo'> & { readonly hasPhoto: boolean };

export type GalleryCall =
  | { readonly op: 'list' }
  | { readonly op: 'one'; readonly personId: string }
  | { readonly op: 'add'; readonly facts: PersonFacts }
  | { readonly op: 'change'; readonly personId: string; readonly change: Partial<PersonFacts> }
  | ({
      readonly op: 'enrol';
      readonly personId: string;
      /** An image file. */
      readonly image: Uint8Array;
      readonly origin: string;
    } & EnrolOptions)
  | { readonly op: 'removeSample'; readonly personId: string; readonly sampleId: string }
  | { readonly op: 'photo'; readonly personId: string; readonly sampleId: string };

export interface GalleryAnswers {
  list: readonly PersonRecord[];
  one: PersonRecord;
  add: PersonRecord;
  change: PersonRecord;
  enrol: { readonly person: PersonRecord; readonly face: EnrolledFace };
  /** Whether there was one. */
  removeSample: boolean;
  /** JPEG; null where none is kept. */
  photo: Uint8Array | null;
}

export type ToGalleryProcess =
  | { readonly kind: 'start'; readonly settings: GalleryServiceSettings }
  | { readonly kind: 'call'; readonly id: number; readonly call: GalleryCall };

export type FromGalleryProcess = {
  readonly kind: 'done';
  readonly id: number;
  readonly answer: unknown;
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly remedy: string;
  } | null;
};
