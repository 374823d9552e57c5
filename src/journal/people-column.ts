import type { Database } from 'better-sqlite3';

/** Numbers that stand for people in the rows of events. They are few: the table has no index. */
export class PeopleColumn {
  readonly #db: Database;
  readonly #numbers = new Map<string, number>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** The number of a person, made where there is none. */
  numberOf(personId: string): number {
    const known = this.#numbers.get(personId) ?? numberOfPerson(this.#db, personId);
    const number = known ?? this.#insert(personId);
    this.#numbers.set(personId, number);
    return number;
  }

  /** Within the transaction. Their events have to be without them by then. */
  forget(personId: string): void {
    this.#numbers.delete(personId);
    this.#db.prepare<[string]>('DELETE FROM person WHERE person_id = ?').run(personId);
  }

  /** What was thought of a transaction that failed is not known any more. */
  reset(): void {
    this.#numbers.clear();
  }

  #insert(personId: string): number {
    const insert = this.#db.prepare<[string]>('INSERT INTO person(person_id) VALUES (?)');
    return Number(insert.run(personId).lastInsertRowid);
  }
}

/** Null for a person of whom no event tells. */
export function numberOfPerson(db: Database, personId: string): number | null {
  const found = db
    .prepare<[string], number>('SELECT id FROM person WHERE person_id = ?')
    .pluck()
    .get(personId);
  return found ?? null;
}
