import type { EventIdentity } from '../protocol/payloads.ts';

/** What is known of a person beside the face. */
export interface Person {
  /** Lower-case letters, digits and `-`, with a random end: never given out twice. */
  readonly personId: string;
  readonly name: string;
  /** What the person is here: tenant, staff; may be empty. */
  readonly role: string;
  readonly threatLevel: EventIdentity['threat_level'];
  /** May be empty. */
  readonly notes: string;
  /** Day on which the person agreed, `YYYY-MM-DD`; null where nobody wrote one down. */
  readonly consentDate: string | null;
  /** Last day on which the person is recognised, in UTC, `YYYY-MM-DD`; null for no end. */
  readonly expiryDate: string | null;
  /** Unix milliseconds. */
  readonly createdMs: number;
  /** When something of this was last changed, Unix milliseconds. */
  readonly changedMs: number;
  /** Names that the person had here before: stored events may still tell them. */
  readonly formerNames: readonly string[];
}

export const SAMPLE_KINDS = ['positive', 'negative'] as const;
/** `negative`: the face of somebody else who was taken for this person. */
export type SampleKind = (typeof SAMPLE_KINDS)[number];

/** One face of a person. */
export interface Sample {
  /** UUID. */
  readonly sampleId: string;
  readonly kind: SampleKind;
  /** Name of the model that made the embedding; those of different models cannot be compared. */
  readonly embeddingModel: string;
  /** Of unit length. */
  readonly embedding: Float32Array;
  /** 0..1. */
  readonly quality: number;
  /** Name of the file, or id of the event, that the face is from. */
  readonly origin: string;
  /** JPEG of the face; null where none is kept. */
  readonly photo: Buffer | null;
  /** Unix milliseconds. */
  readonly createdMs: number;
}

const DAY_MS = 24 * 3600 * 1000;
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';
const SUFFIX_LENGTH = 10;
const SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const LONGEST_SLUG = 40;
const SUFFIX = new RegExp(`^[${ALPHABET}]{${SUFFIX_LENGTH}}$`);

/** Whether a text may be the beginning of a person id. */
export function isSlug(text: string): boolean {
  return text.length <= LONGEST_SLUG && SLUG.test(text);
}

/**
 * An id that no other box gives out: about 49 random bits behind the slug.
 * @param random at least ten random bytes
 */
export function makePersonId(slug: string, random: Uint8Array): string {
  const suffix = [...random.subarray(0, SUFFIX_LENGTH)].map(
    (byte) => ALPHABET[byte % ALPHABET.length],
  );
  return `${slug}-${suffix.join('')}`;
}

export function isPersonId(text: string): boolean {
  const at = text.lastIndexOf('-');
  return isSlug(text.slice(0, at)) && SUFFIX.test(text.slice(at + 1));
}

/** Start of the day behind a `YYYY-MM-DD` in UTC, Unix milliseconds; null for what is no day. */
export function endOfDay(day: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return null;
  const ms = Date.parse(`${day}T00:00:00Z`);
  // ECMAScript takes the 31st of a shorter month for a day of the next one.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== day) return null;
  return ms + DAY_MS;
}
