import Database from 'better-sqlite3';
import { ApexError } from '../../system/errors.ts';
import { faultOf } from './sqlite-faults.ts';

/** What tells that a SQLite file is not what was written. */

/** An error as SQLite would raise it. */
export function damage(what: string): Error {
  return new Database.SqliteError(what, 'SQLITE_CORRUPT');
}

/** Whether an error, or what it was caused by, says that the file is damaged. */
export function isDamage(error: unknown): boolean {
  return faultOf(error instanceof ApexError ? error.cause : error) === 'damaged';
}

/** @throws SqliteError where the file is damaged */
export function quickCheck(db: Database.Database): void {
  const [found] = db.pragma('quick_check(1)') as { quick_check: string }[];
  if (found?.quick_check !== 'ok') throw damage(found?.quick_check ?? 'no answer');
}

/**
 * Damage in the layout's own text would show as a mistake of this program.
 * @param migrations the scripts that made it, all of them
 * @throws SqliteError where it is another one
 */
export function assertLayout(db: Database.Database, migrations: readonly string[]): void {
  const pristine = new Database(':memory:');
  for (const script of migrations) pristine.exec(script);
  const isSame = layoutOf(db) === layoutOf(pristine);
  pristine.close();
  if (!isSame) throw damage('the layout is not the one that was made');
}

function layoutOf(db: Database.Database): string {
  return JSON.stringify(db.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all());
}
