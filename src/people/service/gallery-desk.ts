import { randomBytes } from 'node:crypto';
import type { FaceReader } from '../../faces/contract.ts';
import { ApexError } from '../../system/errors.ts';
import { enrolFace } from '../enrol-face.ts';
import type { Gallery } from '../gallery.ts';
import type { Sample } from '../person.ts';
import { changedPerson, newPerson } from '../person-input.ts';
import { readPicture } from '../picture.ts';
import type { GalleryAnswers, GalleryCall, PersonRecord, SampleRecord } from './calls.ts';

export interface GalleryDeskDeps {
  readonly gallery: Gallery;
  /** Opens what reads faces; asked for when the first is to be read. */
  readonly openReader: () => Promise<FaceReader>;
  readonly wallMs: () => number;
}

type Call<Op extends GalleryCall['op']> = Extract<GalleryCall, { op: Op }>;

/** Does what the API asks of the gallery, one thing after the other. */
export class GalleryDesk {
  readonly #deps: GalleryDeskDeps;
  #reader: Promise<FaceReader> | null = null;

  constructor(deps: GalleryDeskDeps) {
    this.#deps = deps;
  }

  /** @throws ApexError as the gallery, the picture or the models have it */
  async answer(call: GalleryCall): Promise<GalleryAnswers[GalleryCall['op']]> {
    const { gallery } = this.#deps;
    switch (call.op) {
      case 'list':
        return gallery.people().map(({ personId }) => this.#record(personId));
      case 'one':
        return this.#record(call.personId);
      case 'add':
        return this.#add(call);
      case 'change':
        return this.#change(call);
      case 'enrol':
        return this.#enrol(call);
      case 'removeSample':
        return gallery.removeSample(call.personId, call.sampleId);
      case 'photo':
        return this.#photo(call);
    }
  }

  #add({ facts }: Call<'add'>): PersonRecord {
    const { gallery, wallMs } = this.#deps;
    // The id goes to the hub: no name in it.
    const made = { slug: 'person', random: randomBytes(16), nowMs: Math.round(wallMs()) };
    const person = newPerson(facts, made);
    gallery.put(person);
    return this.#record(person.personId);
  }

  #change({ personId, change }: Call<'change'>): PersonRecord {
    const { gallery, wallMs } = this.#deps;
    gallery.put(changedPerson(gallery.person(personId), change, Math.round(wallMs())));
    return this.#record(personId);
  }

  async #enrol({ personId, image, ...options }: Call<'enrol'>): Promise<GalleryAnswers['enrol']> {
    const { gallery, wallMs } = this.#deps;
    gallery.person(personId);
    const picture = await readPicture(image, options.origin);
    const reader = await this.#openReader();
    const nowMs = Math.round(wallMs());
    const face = await enrolFace(personId, { ...options, picture, nowMs }, { gallery, reader });
    return { person: this.#record(personId), face };
  }

  #photo({ personId, sampleId }: Call<'photo'>): Uint8Array | null {
    const samples = this.#deps.gallery.samples(personId);
    return samples.find((sample) => sample.sampleId === sampleId)?.photo ?? null;
  }

  #openReader(): Promise<FaceReader> {
    this.#reader ??= this.#deps.openReader().catch((error: unknown) => {
      // A model may be installed meanwhile.
      this.#reader = null;
      throw error;
    });
    return this.#reader;
  }

  #record(personId: string): PersonRecord {
    const { gallery } = this.#deps;
    return { ...gallery.person(personId), samples: gallery.samples(personId).map(recordOf) };
  }
}

function recordOf({ embedding: _, photo, ...sample }: Sample): SampleRecord {
  return { ...sample, hasPhoto: photo !== null };
}

/** @throws ApexError MODEL_NOT_INSTALLED */
export function noModels(): never {
  throw new ApexError('MODEL_NOT_INSTALLED', 'the models that read faces are not installed', {
    remedy: 'Fetch them with `apex-edge models pull yunet` and `apex-edge models pull sface`.',
  });
}
