import { createHash, randomBytes } from 'node:crypto';
import { TokenFile } from '../hub/door/token-file.ts';

/** What commands about tokens share, of the hub and of a box. */

/** 256 random bits: see `checkToken` for what that makes unnecessary. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** As lists of tokens keep it. */
export function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export function withTokenFile<Result>(dataDir: string, work: (file: TokenFile) => Result): Result {
  const file = new TokenFile(TokenFile.pathIn(dataDir));
  try {
    return work(file);
  } finally {
    file.close();
  }
}

/** Prints what is listed, for programs or a line each for people. */
export function printList<Item>(
  items: readonly Item[],
  {
    isJson,
    shown,
    line,
  }: { isJson: boolean; shown: (item: Item) => object; line: (item: Item) => string },
): void {
  if (isJson) console.log(JSON.stringify(items.map(shown), null, 2));
  else console.log(items.map(line).join('\n') || 'no tokens');
}

export function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
