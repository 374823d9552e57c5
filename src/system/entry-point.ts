import { fileURLToPath } from 'node:url';

/**
 * Path of a compiled file that runs as a process or worker thread of its own.
 *
 * Node 20 cannot run TypeScript, so code that is itself loaded from `src/` (tests) starts the twin in `dist/`.
 * @param importMetaUrl the caller's `import.meta.url`
 * @param relative path of the entry beside the caller, with the ending `.js`
 */
export function entryPoint(importMetaUrl: string, relative: string): string {
  const path = fileURLToPath(new URL(relative, importMetaUrl));
  return importMetaUrl.endsWith('.ts') ? path.replace('/src/', '/dist/') : path;
}
