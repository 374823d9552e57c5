import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TestAPI, test } from 'vitest';

const besideCheckout = fileURLToPath(new URL('../../../shared', import.meta.url));

function folder(variable: string, name: string): string | null {
  const named = process.env[variable];
  if (named !== undefined && named !== '') return named;
  const beside = join(besideCheckout, name);
  return existsSync(beside) ? beside : null;
}

/** Folders of real weights and real footage, or null where this machine has none. */
export function assets(): { models: string | null; media: string | null } {
  return {
    models: folder('APEX_MODELS_MIRROR', 'models'),
    media: folder('APEX_TEST_MEDIA', 'media'),
  };
}

/**
 * `test` where all the named files are there. Elsewhere it skips loudly; in CI it fails, because a check
 * that did not run must not look like one that passed.
 */
export function testWithAssets(...files: { models?: string; media?: string }[]): TestAPI {
  const missing = files.flatMap((file) => {
    const paths = [
      file.models && [assets().models, file.models],
      file.media && [assets().media, file.media],
    ];
    return paths
      .filter((pair): pair is [string | null, string] => Array.isArray(pair))
      .filter(([root, name]) => root === null || !existsSync(join(root, name)))
      .map(([, name]) => name);
  });
  if (missing.length === 0) return test;
  const reason = `needs ${missing.join(', ')} (APEX_MODELS_MIRROR, APEX_TEST_MEDIA)`;
  console.warn(`SKIPPED TESTS: ${reason}`);
  if (process.env.CI === undefined) return test.skip as TestAPI;
  const failing = (name: string): void => {
    test(name, () => {
      throw new Error(`not run: ${reason}`);
    });
  };
  return failing as unknown as TestAPI;
}

export function modelPath(name: string): string {
  return join(assets().models ?? '', name);
}

export function clipPath(name: string): string {
  return join(assets().media ?? '', name);
}
