import type { Database } from 'better-sqlite3';
import { ApexError } from '../system/errors.ts';
import { type KeyPlace, makeKey, readKey } from './key-file.ts';
import { seal, unseal } from './seal.ts';

const CHECK = ['key check'];

/** The key that belongs to a gallery: read when it is first needed, made only for a gallery that never had one. */
export class GalleryKey {
  readonly #db: Database;
  readonly #place: KeyPlace;
  #key: Buffer | null = null;

  constructor(db: Database, place: KeyPlace) {
    this.#db = db;
    this.#place = place;
  }

  /**
   * For reading what is sealed.
   * @throws ApexError PEOPLE_KEY_MISSING, PEOPLE_KEY_WRONG, PEOPLE_KEY_UNREADABLE
   */
  get(): Buffer {
    this.#key ??= this.#checked(this.#sealedCheck());
    return this.#key;
  }

  /**
   * For sealing: where the gallery never had a key, it gets one. To be called within a transaction that has begun
   * to write, so that two processes do not choose differently. Throws as `get` does.
   */
  getOrMake(): Buffer {
    if (this.#key !== null) return this.#key;
    const check = this.#sealedCheck();
    if (check !== null) return this.get();
    const key = readKey(this.#place) ?? makeKey(this.#place);
    this.#db
      .prepare('INSERT INTO key_check(id, sealed) VALUES (1, ?)')
      .run(seal(key, Buffer.from('people'), CHECK));
    // Kept only once it is needed again: the transaction may still fail.
    return key;
  }

  #checked(check: Buffer | null): Buffer {
    const { path } = this.#place;
    const key = readKey(this.#place);
    if (key === null)
      throw new ApexError('PEOPLE_KEY_MISSING', `the key of the gallery is not at ${path}`);
    if (check === null) return key;
    try {
      unseal(key, check, CHECK);
    } catch (cause) {
      throw new ApexError('PEOPLE_KEY_WRONG', `${path} is not the key of this gallery`, { cause });
    }
    return key;
  }

  #sealedCheck(): Buffer | null {
    return (
      this.#db.prepare<[], Buffer>('SELECT sealed FROM key_check WHERE id = 1').pluck().get() ??
      null
    );
  }
}
