import { ApexError } from '../system/errors.ts';
import { endOfDay, isSlug, makePersonId, type Person } from './person.ts';

/** What people say of a person. */
export interface PersonFacts {
  readonly name: string;
  readonly role: string;
  readonly threatLevel: Person['threatLevel'];
  readonly notes: string;
  /** `YYYY-MM-DD`; null for none. */
  readonly consentDate: string | null;
  readonly expiryDate: string | null;
}

const LONGEST_NAME = 200;
const LONGEST_NOTES = 10_000;

/**
 * Somebody who is new here.
 * @param slug beginning of the id
 * @param random at least ten random bytes
 * @throws ApexError PEOPLE_OPTION
 */
export function newPerson(
  facts: PersonFacts,
  { slug, random, nowMs }: { slug: string; random: Uint8Array; nowMs: number },
): Person {
  if (!isSlug(slug))
    throw new ApexError('PEOPLE_OPTION', '--id: lower-case letters, digits and -, at most 40');
  return {
    personId: makePersonId(slug, random),
    ...checked(facts, nowMs),
    createdMs: nowMs,
    changedMs: nowMs,
    formerNames: [],
  };
}

/** Stored events may still tell an earlier name: it is kept, to be forgotten with the person. @throws ApexError PEOPLE_OPTION */
export function changedPerson(person: Person, change: Partial<PersonFacts>, nowMs: number): Person {
  const isExpirySame = change.expiryDate === undefined || change.expiryDate === person.expiryDate;
  const facts = { ...person, ...change };
  const { name, ...rest } = checked(facts, isExpirySame ? Number.NEGATIVE_INFINITY : nowMs);
  const formerNames =
    name === person.name ? person.formerNames : [...new Set([...person.formerNames, person.name])];
  return { ...person, ...rest, name, formerNames, changedMs: nowMs };
}

function checked(facts: PersonFacts, nowMs: number): PersonFacts {
  const { role, threatLevel, notes, consentDate, expiryDate } = facts;
  const name = facts.name.trim().normalize('NFC');
  if (name === '' || name.length > LONGEST_NAME || /\p{Cc}/u.test(name))
    throw new ApexError('PEOPLE_OPTION', `a name has 1 to ${LONGEST_NAME} characters`);
  if (role.length > LONGEST_NAME || notes.length > LONGEST_NOTES)
    throw new ApexError('PEOPLE_OPTION', 'the role or the notes are too long');
  if (consentDate !== null && endOfDay(consentDate) === null)
    throw new ApexError('PEOPLE_OPTION', `consent: ${consentDate} is no day`);
  if (expiryDate !== null && (endOfDay(expiryDate) ?? Number.NEGATIVE_INFINITY) <= nowMs)
    throw new ApexError('PEOPLE_OPTION', `expires: ${expiryDate} is no day to come`);
  return { name, role, threatLevel, notes, consentDate, expiryDate };
}
