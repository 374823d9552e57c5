import type { KnownPerson } from '../contract.ts';

/** How much an embedding is like that of a person. */
export interface Likeness {
  readonly person: KnownPerson;
  /** Cosine, -1..1. */
  readonly similarity: number;
}

/** Cosine of two embeddings of unit length, -1..1. */
function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] as number) * (b[index] as number);
  return sum;
}

/**
 * How much a face is like each person: like their most alike embedding. A face that is more like one that was told to
 * be somebody else is not like the person at all.
 */
export function likenesses(embedding: Float32Array, people: readonly KnownPerson[]): Likeness[] {
  const best = (samples: readonly Float32Array[]): number =>
    samples.reduce((most, sample) => Math.max(most, cosine(embedding, sample)), -1);
  return people.map((person) => {
    const similarity = best(person.positives);
    const isOther = person.negatives.length > 0 && best(person.negatives) > similarity;
    return { person, similarity: isOther ? -1 : similarity };
  });
}
