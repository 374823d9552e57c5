import { randomBytes, scryptSync } from 'node:crypto';
import { z } from 'zod';
import { THREAT_LEVELS } from '../protocol/payloads.ts';
import { ApexError } from '../system/errors.ts';
import { endOfDay, isPersonId, type Person, SAMPLE_KINDS, type Sample } from './person.ts';
import { KEY_BYTES, seal, unseal } from './seal.ts';

const FORMAT = 'apex-edge-people';
const SALT_BYTES = 16;
/** 128 MiB and about half a second for each guess. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1 } as const;
const SCRYPT_MEMORY = 256 * 1024 * 1024;
const MAX_EMBEDDING = 4096;

export interface ExportedPerson {
  readonly person: Person;
  readonly samples: readonly Sample[];
}

const envelopeSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(1),
  kdf: z.object({
    name: z.literal('scrypt'),
    N: z.literal(SCRYPT.N),
    r: z.literal(SCRYPT.r),
    p: z.literal(SCRYPT.p),
    salt: z.base64().length(24),
  }),
  /** AES-256-GCM: nonce, tag, ciphertext. */
  sealed: z.base64(),
});

const day = z.string().refine((text) => endOfDay(text) !== null, 'a day');
const ms = z.number().int().min(0);

const personSchema = z.strictObject({
  personId: z.string().refine(isPersonId, 'a person id'),
  name: z.string().min(1).max(200),
  role: z.string().max(200),
  threatLevel: z.enum(THREAT_LEVELS),
  notes: z.string().max(10_000),
  consentDate: day.nullable(),
  expiryDate: day.nullable(),
  createdMs: ms,
  changedMs: ms,
  formerNames: z.array(z.string().min(1).max(200)).max(100),
});

const sampleSchema = z.strictObject({
  sampleId: z.uuid(),
  kind: z.enum(SAMPLE_KINDS),
  embeddingModel: z.string().min(1).max(256),
  embedding: z.array(z.number()).min(1).max(MAX_EMBEDDING),
  quality: z.number().min(0).max(1),
  origin: z.string().max(1000),
  photo: z.base64().nullable(),
  createdMs: ms,
});

const contentSchema = z.array(
  z.strictObject({ person: personSchema, samples: z.array(sampleSchema) }),
);

/** The text of an export file: everything of these people, encrypted with a key made of the passphrase. */
export function writeExport(people: readonly ExportedPerson[], passphrase: string): string {
  const content: z.infer<typeof contentSchema> = people.map(({ person, samples }) => ({
    person: { ...person, formerNames: [...person.formerNames] },
    samples: samples.map((sample) => ({
      ...sample,
      embedding: [...sample.embedding],
      photo: sample.photo?.toString('base64') ?? null,
    })),
  }));
  const salt = randomBytes(SALT_BYTES);
  const kdf = { name: 'scrypt' as const, ...SCRYPT, salt: salt.toString('base64') };
  const key = keyFrom(passphrase, salt);
  const sealed = seal(key, Buffer.from(JSON.stringify(content)), [FORMAT]).toString('base64');
  return `${JSON.stringify({ format: FORMAT, version: 1, kdf, sealed }, null, 2)}\n`;
}

/** @throws ApexError PEOPLE_EXPORT_INVALID */
export function readExport(text: string, passphrase: string): ExportedPerson[] {
  try {
    const { kdf, sealed } = envelopeSchema.parse(JSON.parse(text));
    const key = keyFrom(passphrase, Buffer.from(kdf.salt, 'base64'));
    const plain = unseal(key, Buffer.from(sealed, 'base64'), [FORMAT]).toString('utf8');
    return contentSchema.parse(JSON.parse(plain)).map(({ person, samples }) => ({
      person,
      samples: samples.map((sample) => ({
        ...sample,
        embedding: Float32Array.from(sample.embedding),
        photo: sample.photo === null ? null : Buffer.from(sample.photo, 'base64'),
      })),
    }));
  } catch (cause) {
    const isLocked = cause instanceof ApexError;
    const reason = isLocked
      ? 'the passphrase is another one, or the file was changed'
      : 'no export';
    throw new ApexError('PEOPLE_EXPORT_INVALID', reason, { cause });
  }
}

function keyFrom(passphrase: string, salt: Buffer): Buffer {
  return scryptSync(passphrase.normalize('NFC'), salt, KEY_BYTES, {
    ...SCRYPT,
    maxmem: SCRYPT_MEMORY,
  });
}
