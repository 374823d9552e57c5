import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('docs/api.md names the routes and problems that there are', () => {
  const script = fileURLToPath(
    new URL('../../../scripts/local-api-reference.mjs', import.meta.url),
  );
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(stderr, 'npm run docs writes it anew').toBe('');
  expect(status).toBe(0);
});
