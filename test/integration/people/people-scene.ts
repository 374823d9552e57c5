import { createHash, randomBytes } from 'node:crypto';
import { makePersonId, type Person, type Sample } from '../../../src/people/person.ts';

export const NOW = Date.UTC(2026, 0, 15, 12);

export function personCalled(name: string, more: Partial<Person> = {}): Person {
  return {
    personId: makePersonId('person', randomBytes(16)),
    name,
    role: 'tenant',
    threatLevel: 'safe',
    notes: 'lives on the third floor',
    consentDate: '2026-01-01',
    expiryDate: null,
    createdMs: NOW - 1000,
    changedMs: NOW - 1000,
    formerNames: [],
    ...more,
  };
}

/** Of unit length, a different one for each number. */
export function embeddingOf(n: number): Float32Array {
  const raw = Float32Array.from({ length: 128 }, (_, k) => Math.sin(n * 131 + k * k + 1));
  const length = Math.hypot(...raw);
  return raw.map((value) => value / length);
}

/** The same for the same number. */
export function sampleOf(n: number, more: Partial<Sample> = {}): Sample {
  const hex = createHash('sha256')
    .update(`${n}${JSON.stringify(more)}`)
    .digest('hex');
  return {
    sampleId: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`,
    kind: 'positive',
    embeddingModel: 'test',
    embedding: embeddingOf(n),
    quality: 0.75,
    origin: `file-${n}.jpg`,
    photo: null,
    createdMs: NOW + n,
    ...more,
  };
}
