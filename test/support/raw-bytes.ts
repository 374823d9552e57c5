import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of a folder, at any depth, that hold the bytes: a text as UTF-8. */
export function filesHolding(dir: string, bytes: string | Buffer): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => contentOf(path).includes(bytes))
    .map((path) => path.slice(dir.length + 1))
    .sort();
}

/** A journal may be gone by the time that it is read. */
function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
