import type { Database, Statement } from 'better-sqlite3';
import {
  boundsOf,
  type MergedPage,
  mergeParts,
  type PageOrder,
  type PagePlace,
  rowsOfPart,
} from './page-plan.ts';

interface Bounds extends ReturnType<typeof boundsOf> {
  readonly value: string | number | null;
  readonly rows: number;
}

/** What of an index a page is read from: the parts of these values, each in the order of time. */
export interface PartPlan<Index extends string> {
  readonly index: Index;
  readonly values: readonly (string | number | null)[];
}

/** What is wanted of these parts. */
export interface Sieve<Key> {
  /** Whether some of their rows may not be wanted. */
  readonly isSieved: boolean;
  readonly isWanted: (key: Key) => boolean;
}

interface PageQuery {
  readonly order: PageOrder;
  readonly limit: number;
  readonly from_ms?: number | undefined;
  readonly to_ms?: number | undefined;
  readonly after?: string | undefined;
}

/** Reads pages out of the indices of one table, by statements that are made once. */
export class PartReader<Index extends string, Key extends PagePlace> {
  readonly #db: Database;
  readonly #sqlOf: (index: Index, order: PageOrder) => string;
  readonly #statements = new Map<string, Statement<[Bounds], Key>>();

  constructor(db: Database, sqlOf: (index: Index, order: PageOrder) => string) {
    this.#db = db;
    this.#sqlOf = sqlOf;
  }

  page(
    query: PageQuery,
    { index, values }: PartPlan<Index>,
    { isSieved, isWanted }: Sieve<Key>,
  ): MergedPage<Key> {
    const { order, limit } = query;
    const rows = rowsOfPart(values.length, limit, isSieved);
    const parts = values.map((value) => {
      const keys = this.#statement(index, order).all({ ...boundsOf(query), value, rows });
      return { keys, isCut: keys.length === rows };
    });
    return mergeParts(parts, { order, limit, isWanted });
  }

  #statement(index: Index, order: PageOrder): Statement<[Bounds], Key> {
    const name = `${index} ${order}`;
    let statement = this.#statements.get(name);
    if (statement === undefined) {
      statement = this.#db.prepare<[Bounds], Key>(this.#sqlOf(index, order));
      this.#statements.set(name, statement);
    }
    return statement;
  }
}
