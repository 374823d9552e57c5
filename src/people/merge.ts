import type { ExportedPerson } from './export-file.ts';
import type { Gallery } from './gallery.ts';
import { endOfDay, type Person } from './person.ts';

/** What an import did with one person. */
export interface Merged {
  readonly personId: string;
  readonly outcome: 'added' | 'updated' | 'unchanged' | 'expired' | 'being_forgotten';
  readonly newSamples: number;
}

/**
 * Takes people over by their ids: faces that are not here yet, and what is told of the person where that was changed
 * later than here. Nobody is taken over whose time is over, or who is being forgotten.
 * @param nowMs Unix milliseconds
 */
export function mergeInto(
  gallery: Gallery,
  people: readonly ExportedPerson[],
  nowMs: number,
): Merged[] {
  const here = new Map(gallery.people().map((person) => [person.personId, person]));
  const leaving = new Set(gallery.forgetting().map(({ personId }) => personId));
  return people.map((exported) => {
    const { personId } = exported.person;
    if (leaving.has(personId)) return { personId, outcome: 'being_forgotten', newSamples: 0 };
    if (isOver(exported.person, nowMs)) return { personId, outcome: 'expired', newSamples: 0 };
    return mergeOne(gallery, here.get(personId) ?? null, exported);
  });
}

function mergeOne(
  gallery: Gallery,
  known: Person | null,
  { person, samples }: ExportedPerson,
): Merged {
  const { personId } = person;
  const isNewer = known === null || person.changedMs > known.changedMs;
  if (isNewer) gallery.put(known === null ? person : succeeded(known, person));
  const newSamples = samples.filter((sample) => gallery.addSample(personId, sample)).length;
  if (known === null) return { personId, outcome: 'added', newSamples };
  return { personId, outcome: isNewer || newSamples > 0 ? 'updated' : 'unchanged', newSamples };
}

function isOver({ expiryDate }: Person, nowMs: number): boolean {
  const end = expiryDate === null ? null : endOfDay(expiryDate);
  return end !== null && end <= nowMs;
}

/** Names that the person had here stay known, for the day on which they are to be forgotten. */
function succeeded(known: Person, person: Person): Person {
  const names = new Set([...known.formerNames, ...person.formerNames, known.name]);
  names.delete(person.name);
  return { ...person, formerNames: [...names] };
}
