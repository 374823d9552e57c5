import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { KnownPerson } from '../faces/contract.ts';
import { ApexError } from '../system/errors.ts';
import { openGalleryFile } from './gallery-file.ts';
import { GalleryKey } from './gallery-key.ts';
import type { KeyPlace } from './key-file.ts';
import { endOfDay, type Person, type Sample, type SampleKind } from './person.ts';
import type { ForgottenPerson } from './scrub.ts';
import { seal, unseal } from './seal.ts';

interface PersonRow {
  person_id: string;
  created_ms: number;
  expires_ms: number | null;
  sealed: Buffer;
}

interface SampleRow {
  sample_id: string;
  person_id: string;
  kind: SampleKind;
  model: string;
  quality: number;
  created_ms: number;
  embedding: Buffer;
  origin: Buffer;
  photo: Buffer | null;
}

/** What is sealed of a person. */
type SealedPerson = Omit<Person, 'personId' | 'createdMs'>;

/**
 * The people whom this box is to recognise: a file that the daemon reads and `apex-edge people` writes, also at the
 * same time. What it tells of them is encrypted with a key that lies elsewhere.
 *
 * Everything here is synchronous. Whatever needs the key throws PEOPLE_KEY_MISSING, PEOPLE_KEY_WRONG or
 * PEOPLE_KEY_UNREADABLE where it cannot be had, and has changed nothing then.
 */
export class Gallery {
  readonly #db: Database;
  readonly #key: GalleryKey;

  /** @throws ApexError as `openDatabase` does */
  constructor(path: string, key: KeyPlace) {
    this.#db = openGalleryFile(path);
    this.#key = new GalleryKey(this.#db, key);
  }

  static pathIn(dataDir: string): string {
    return join(dataDir, 'people.db');
  }

  /** Changes when another connection has written. */
  get version(): number {
    return this.#db.pragma('data_version', { simple: true }) as number;
  }

  /** Everybody, also those whose time is over, by id. */
  people(): Person[] {
    const rows = this.#db.prepare<[], PersonRow>('SELECT * FROM person ORDER BY person_id').all();
    return rows.map((row) => this.#person(row));
  }

  /** @throws ApexError PEOPLE_UNKNOWN */
  person(personId: string): Person {
    return this.#person(this.#row(personId));
  }

  /** The faces of a person, oldest first. */
  samples(personId: string): Sample[] {
    return this.#db
      .prepare<[string], SampleRow>(
        'SELECT * FROM sample WHERE person_id = ? ORDER BY created_ms, sample_id',
      )
      .all(personId)
      .map((row) => this.#sample(row));
  }

  /** Ids of everybody with how many samples of each kind there are; needs no key. */
  sampleCounts(): ReadonlyMap<string, Readonly<Record<SampleKind, number>>> {
    const rows = this.#db
      .prepare<[], { id: string; positive: number; negative: number }>(
        `SELECT person_id AS id, count(CASE kind WHEN 'positive' THEN 1 END) AS positive,
           count(CASE kind WHEN 'negative' THEN 1 END) AS negative
         FROM person LEFT JOIN sample USING (person_id) GROUP BY person_id`,
      )
      .all();
    return new Map(rows.map(({ id, ...counts }) => [id, counts]));
  }

  /** Those whom the recognition may compare faces with, now. @param nowMs Unix milliseconds */
  known(embeddingModel: string, nowMs: number): KnownPerson[] {
    const rows = this.#db
      .prepare<[number, string], PersonRow>(
        `SELECT * FROM person WHERE (expires_ms IS NULL OR expires_ms > ?)
           AND EXISTS (SELECT 1 FROM sample WHERE sample.person_id = person.person_id AND model = ?)
         ORDER BY person_id`,
      )
      .all(nowMs, embeddingModel);
    return rows.map((row) => {
      const { personId, name, threatLevel } = this.#person(row);
      const samples = this.samples(personId).filter(
        (sample) => sample.embeddingModel === embeddingModel,
      );
      const of = (kind: SampleKind) =>
        samples.filter((sample) => sample.kind === kind).map(({ embedding }) => embedding);
      return { personId, name, threatLevel, positives: of('positive'), negatives: of('negative') };
    });
  }

  /** Earliest end among people who still count; null where nobody's time ends. @param nowMs Unix milliseconds */
  nextExpiryMs(nowMs: number): number | null {
    return (
      this.#db
        .prepare<[number], number>('SELECT min(expires_ms) FROM person WHERE expires_ms > ?')
        .pluck()
        .get(nowMs) ?? null
    );
  }

  /** Ids of people whose time is over. @param nowMs Unix milliseconds */
  expired(nowMs: number): string[] {
    return this.#db
      .prepare<[number], string>('SELECT person_id FROM person WHERE expires_ms <= ?')
      .pluck()
      .all(nowMs);
  }

  /** Adds somebody, or puts what is told in the place of what was known. The caller has checked the dates. */
  put(person: Person): void {
    const { personId, createdMs, ...rest } = person;
    this.#write((key) => {
      const sealed = seal(key, Buffer.from(JSON.stringify(rest)), ['person', personId]);
      const expiresMs = person.expiryDate === null ? null : endOfDay(person.expiryDate);
      this.#db
        .prepare(
          `INSERT INTO person(person_id, created_ms, expires_ms, sealed) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET expires_ms = excluded.expires_ms, sealed = excluded.sealed`,
        )
        .run(personId, createdMs, expiresMs, sealed);
    });
  }

  /** Adds a face; one whose id is known is not added again. False then. @throws ApexError PEOPLE_UNKNOWN */
  addSample(personId: string, sample: Sample): boolean {
    return this.#write((key) => {
      this.#row(personId);
      const { sampleId, embeddingModel: model, embedding, photo } = sample;
      const at = [personId, sampleId, model];
      const { changes } = this.#db
        .prepare(
          `INSERT INTO sample(sample_id, person_id, kind, model, quality, created_ms, embedding,
             origin, photo) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        )
        .run(
          sampleId,
          personId,
          sample.kind,
          model,
          sample.quality,
          sample.createdMs,
          seal(key, bytesOf(embedding), ['embedding', ...at]),
          seal(key, Buffer.from(sample.origin), ['origin', ...at]),
          photo && seal(key, photo, ['photo', ...at]),
        );
      return changes > 0;
    });
  }

  /** Whether there was such a face of the person. @throws ApexError PEOPLE_UNKNOWN */
  removeSample(personId: string, sampleId: string): boolean {
    this.#row(personId);
    const { changes } = this.#db
      .prepare('DELETE FROM sample WHERE person_id = ? AND sample_id = ?')
      .run(personId, sampleId);
    return changes > 0;
  }

  /**
   * Removes a person with all samples and notes that traces elsewhere are still to be removed, in one transaction.
   * A lost key does not keep anybody from being forgotten. Once more for somebody who is being forgotten is fine.
   * @throws ApexError PEOPLE_UNKNOWN
   */
  beginForgetting(personId: string, nowMs: number): void {
    const begin = this.#db.transaction(() => {
      if (this.#names(personId) !== undefined) return;
      const names = this.#namesToForget(this.#row(personId));
      this.#db
        .prepare('INSERT INTO forgetting(person_id, requested_ms, names) VALUES (?, ?, ?)')
        .run(personId, nowMs, names);
      this.#db.prepare('DELETE FROM person WHERE person_id = ?').run(personId);
    });
    begin.immediate();
  }

  /** Who has been forgotten here and may have traces elsewhere, oldest first. */
  forgetting(): ForgottenPerson[] {
    const rows = this.#db
      .prepare<[], { person_id: string; names: Buffer | null }>(
        'SELECT person_id, names FROM forgetting ORDER BY requested_ms, person_id',
      )
      .all();
    return rows.map(({ person_id: personId, names }) => ({
      personId,
      names: names === null ? [] : this.#openNames(personId, names),
    }));
  }

  /** No trace is left elsewhere: of the person nothing stays here either, not even in free pages or the log. */
  endForgetting(personId: string): void {
    // Pages that were rearranged keep old copies of rows in the room between rows. Where this fails the person is
    // still being forgotten.
    this.#db.exec('VACUUM');
    this.#db.prepare('DELETE FROM forgetting WHERE person_id = ?').run(personId);
    this.#db.pragma('wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.#db.close();
  }

  #write<Result>(work: (key: Buffer) => Result): Result {
    return this.#db.transaction(() => work(this.#key.getOrMake())).immediate();
  }

  #row(personId: string): PersonRow {
    const row = this.#db
      .prepare<[string], PersonRow>('SELECT * FROM person WHERE person_id = ?')
      .get(personId);
    if (row !== undefined) return row;
    throw new ApexError('PEOPLE_UNKNOWN', `there is no person ${personId} in the gallery`);
  }

  #person({ person_id: personId, created_ms: createdMs, sealed }: PersonRow): Person {
    const text = unseal(this.#key.get(), sealed, ['person', personId]).toString('utf8');
    return { personId, createdMs, ...(JSON.parse(text) as SealedPerson) };
  }

  #sample(row: SampleRow): Sample {
    const key = this.#key.get();
    const at = [row.person_id, row.sample_id, row.model];
    return {
      sampleId: row.sample_id,
      kind: row.kind,
      embeddingModel: row.model,
      embedding: floatsOf(unseal(key, row.embedding, ['embedding', ...at])),
      quality: row.quality,
      origin: unseal(key, row.origin, ['origin', ...at]).toString('utf8'),
      photo: row.photo && unseal(key, row.photo, ['photo', ...at]),
      createdMs: row.created_ms,
    };
  }

  /** Null without a key; undefined for nobody who is being forgotten. */
  #names(personId: string): Buffer | null | undefined {
    return this.#db
      .prepare<[string], Buffer | null>('SELECT names FROM forgetting WHERE person_id = ?')
      .pluck()
      .get(personId);
  }

  #namesToForget(row: PersonRow): Buffer | null {
    try {
      const { personId, name, formerNames } = this.#person(row);
      const text = JSON.stringify([name, ...formerNames]);
      return seal(this.#key.get(), Buffer.from(text), ['forgetting', personId]);
    } catch (error) {
      if (isKeyFault(error)) return null;
      throw error;
    }
  }

  #openNames(personId: string, names: Buffer): string[] {
    try {
      return JSON.parse(unseal(this.#key.get(), names, ['forgetting', personId]).toString('utf8'));
    } catch (error) {
      if (isKeyFault(error)) return [];
      throw error;
    }
  }
}

function isKeyFault(error: unknown): boolean {
  return error instanceof ApexError && error.code.startsWith('PEOPLE_KEY_');
}

function bytesOf(embedding: Float32Array): Buffer {
  return Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength);
}

/** A copy: what was decrypted need not lie where floats may. */
function floatsOf(bytes: Buffer): Float32Array {
  const floats = new Float32Array(bytes.byteLength / Float32Array.BYTES_PER_ELEMENT);
  bytes.copy(Buffer.from(floats.buffer));
  return floats;
}
