import type { Gallery } from '../people/gallery.ts';
import { endOfDay, type Person } from '../people/person.ts';

/** A person as `list` tells it. */
interface ShownPerson {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly threat_level: string;
  readonly consent: string | null;
  readonly expires: string | null;
  readonly state: 'recognised' | 'without a face' | 'expired';
  readonly faces: number;
  readonly not_faces: number;
}

/** @param nowMs Unix milliseconds */
export function shownOf(gallery: Gallery, nowMs: number): ShownPerson[] {
  const counts = gallery.sampleCounts();
  return gallery.people().map((person) => {
    const { positive, negative } = counts.get(person.personId) ?? { positive: 0, negative: 0 };
    return shown(person, { positive, negative, nowMs });
  });
}

export function linesOf(people: readonly ShownPerson[]): string[] {
  return people.map(({ id, name, role, threat_level, state, faces, not_faces, expires }) =>
    [
      id.padEnd(24),
      name.padEnd(24),
      threat_level.padEnd(10),
      state.padEnd(14),
      `${faces} ${faces === 1 ? 'face' : 'faces'}${not_faces > 0 ? `, ${not_faces} of others` : ''}`,
      `expires ${expires ?? 'never'}`,
      ...(role === '' ? [] : [role]),
    ].join('  '),
  );
}

/** All of a person but the embeddings. @throws ApexError PEOPLE_UNKNOWN */
export function detailsOf(
  gallery: Gallery,
  personId: string,
  nowMs: number,
): { readonly text: string; readonly data: object } {
  const person = gallery.person(personId);
  const all = gallery.samples(personId);
  const positive = all.filter(({ kind }) => kind === 'positive').length;
  const data = {
    ...shown(person, { positive, negative: all.length - positive, nowMs }),
    notes: person.notes,
    former_names: person.formerNames,
    created: new Date(person.createdMs).toISOString(),
    samples: all.map((sample) => ({
      id: sample.sampleId,
      kind: sample.kind,
      model: sample.embeddingModel,
      quality: sample.quality,
      origin: sample.origin,
      has_photo: sample.photo !== null,
      created: new Date(sample.createdMs).toISOString(),
    })),
  };
  const { samples, ...rest } = data;
  const facts = Object.entries(rest).map(([key, value]) => `${key}: ${value ?? 'none'}`);
  const faces = samples.map(
    ({ kind, model, quality, origin, has_photo, created }) =>
      `  ${kind}  ${origin}  quality ${quality.toFixed(2)}  ${model}  ${created}` +
      `${has_photo ? '  with photo' : ''}`,
  );
  return { text: [...facts, ...faces].join('\n'), data };
}

function shown(
  { personId, name, role, threatLevel, consentDate, expiryDate }: Person,
  { positive, negative, nowMs }: { positive: number; negative: number; nowMs: number },
): ShownPerson {
  const endMs = expiryDate === null ? null : endOfDay(expiryDate);
  const isOver = endMs !== null && endMs <= nowMs;
  return {
    id: personId,
    name,
    role,
    threat_level: threatLevel,
    consent: consentDate,
    expires: expiryDate,
    state: (isOver && 'expired') || (positive > 0 ? 'recognised' : 'without a face'),
    faces: positive,
    not_faces: negative,
  };
}
